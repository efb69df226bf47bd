/** A small good configuration that tests change. */
export const sampleFile = '/etc/waybill/waybill.yaml';

export const sample = `schema: 1
cluster:
  name: sample
  primaryDomain: Example.COM
  tls: { certificate: tls/server.pem, key: tls/server-key.pem, clusterAuthority: /tls/ca.pem, nodeCertificate: tls/node.pem, nodeKey: tls/node-key.pem }
  ldapConnectors:
    - name: directory
      uris: ["ldaps://ldap1.example.com", "ldap://ldap2.example.com:389"]
      bindDn: cn=reader
      bindPassword: { file: secrets/reader }
      searchBase: dc=example,dc=com
  userMaps:
    - { name: users, type: ldapBind, connector: directory }
    - { name: moving, type: localFile, file: moving.map, domains: [old.example.com] }
frontends:
  drainSeconds: 20
backends:
  storage: { directories: [mail/one, mail/two] }
nodes:
  fe1:
    role: frontend
    host: 10.0.0.1
    services:
      imapProxy:
        listeners: [{ address: "0.0.0.0:143" }]
  be1:
    role: backend
    host: 10.0.0.2
    drainSeconds: 30
    services:
      imap:
        maxErrors: 5
        listeners:
          - { address: "10.0.0.2:143" }
          - { address: "10.0.0.2:993", tls: implicit, trusted: true }
      admin: { listeners: [{ address: "10.0.0.2:900" }] }
`;

/** The sample with one piece of text replaced by another; a piece that is not there is a mistake of the test. */
export function sampleWith(piece: string, replacement: string): string {
  if (!sample.includes(piece)) throw new Error(`the sample has no ${JSON.stringify(piece)}`);
  return sample.replace(piece, replacement);
}
