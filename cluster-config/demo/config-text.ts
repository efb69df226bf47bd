/** The configuration file of the demo: written once, for people to read and change. */
import { relative } from 'node:path';
import { demoAdminDn, demoAdministrator, demoBaseDn, demoDomain } from './layout.ts';
import type { DemoBackend, DemoFrontend, DemoLayout } from './layout.ts';

/** The YAML text; file names in it are relative to it. */
export function demoConfigText(layout: DemoLayout): string {
  const file = (name: string): string => relative(layout.folder, name);
  return `# The configuration of this cluster. Change it with any editor: running nodes read it again at once, and refuse a
# mistake with its line and the reason (log/*.log), going on as before. Try it first:  npm run waybill -- config check ${file(layout.configFile)}
# All parameters with their meaning: docs/parameters.md. Later layers win: defaults, cluster, frontends or backends, node.
schema: 1

cluster:
  name: waybill-demo
  primaryDomain: ${demoDomain}        # completes user names without a domain
  loopbackOnly: true                  # everybody knows the passwords of the demo: no listener beyond this machine
  workers: 1                          # processes of each node; on a machine of its own: one for each core
  drainSeconds: 5
  cookieSecret: { file: ${file(layout.files.cookieSecret)} }
  tls:
    certificate: ${file(layout.files.server.certificate)}          # shown to mail programs and browsers
    key: ${file(layout.files.server.key)}
    clusterAuthority: ${file(layout.files.authority.certificate)}  # nodes know each other by it
  administration:
    administrators: # of the admin API
      - { name: ${demoAdministrator}, password: { file: ${file(layout.files.administratorHash)} }, allow: [all] }
  ldapConnectors:
    - name: directory
      uris: ["ldaps://127.0.0.1:${layout.directory.ldaps}"]
      ca: ${file(layout.files.authority.certificate)}
      bindDn: cn=waybill,${demoBaseDn}
      bindPassword: { file: ${file(layout.files.readerPassword)} }
      write: { uri: "ldaps://127.0.0.1:${layout.directory.ldaps}", bindDn: "${demoAdminDn}", bindPassword: { file: ${file(layout.files.adminPassword)} } }  # for accounts that move
      searchBase: ${demoBaseDn}
      searchPattern: "(|(mail=%e)(mailLocalAddress=%e))"
  userMaps:
    - { name: users, type: ldapBind, connector: directory }

nodes:
${[...layout.frontends.map((node) => frontendText(layout, node)), ...layout.backends.map((node) => backendText(layout, node))].join('\n')}`;
}

function nodeHead(layout: DemoLayout, node: DemoFrontend | DemoBackend): string {
  const { certificate, key } = layout.files.node(node.name);
  return `  ${node.name}:
    role: ${node.role}
    host: 127.0.0.1
    serverName: ${node.name}.${demoDomain}
    tls: { nodeCertificate: ${relative(layout.folder, certificate)}, nodeKey: ${relative(layout.folder, key)} }
    administration: { auditFile: ${relative(layout.folder, layout.files.audit(node.name))} }`;
}

function frontendText(layout: DemoLayout, node: DemoFrontend): string {
  const { ports } = node;
  return `${nodeHead(layout, node)}
    services:
      smtpProxy:
        listeners:
          - { address: "127.0.0.1:${ports.smtp}", kind: mx, tls: starttls }
          - { address: "127.0.0.1:${ports.submission}", kind: submission, tls: starttls }
          - { address: "127.0.0.1:${ports.submissions}", kind: submission, tls: implicit }
      imapProxy:
        listeners:
          - { address: "127.0.0.1:${ports.imap}", tls: starttls }
          - { address: "127.0.0.1:${ports.imaps}", tls: implicit }
      pop3Proxy:
        listeners:
          - { address: "127.0.0.1:${ports.pop3}", tls: starttls }
          - { address: "127.0.0.1:${ports.pop3s}", tls: implicit }
      webmailProxy:
        listeners:
          - { address: "127.0.0.1:${ports.https}", tls: implicit }
      admin:
        listeners:
          - { address: "127.0.0.1:${ports.admin}" }
`;
}

function backendText(layout: DemoLayout, node: DemoBackend): string {
  const { ports } = node;
  const storage = relative(layout.folder, layout.files.storage(node.name));
  return `${nodeHead(layout, node)}
    storage:
      directories: [${storage}/storage1, ${storage}/storage2]
      backupDirectory: ${storage}/backups
    services:
      smtpReceiving:
        listeners:
          - { address: "127.0.0.1:${ports.lmtp}", kind: lmtp, tls: implicit, trusted: true }
          - { address: "127.0.0.1:${ports.smtp}", kind: mx, tls: starttls }
          - { address: "127.0.0.1:${ports.submissions}", kind: submission, tls: implicit, trusted: true }
      processing:
        queueDirectory: ${storage}/queue
      imap:
        listeners:
          - { address: "127.0.0.1:${ports.imap}", tls: starttls }
          - { address: "127.0.0.1:${ports.imaps}", tls: implicit, trusted: true }
      pop3:
        listeners:
          - { address: "127.0.0.1:${ports.pop3}", tls: starttls }
          - { address: "127.0.0.1:${ports.pop3s}", tls: implicit, trusted: true }
      webmail:
        listeners:
          - { address: "127.0.0.1:${ports.https}", tls: implicit, trusted: true }
      admin:
        listeners:
          - { address: "127.0.0.1:${ports.admin}" }
`;
}
