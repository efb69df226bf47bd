/** Certificates for tests, issued by an authority of the cluster's kind: subjects carry cluster, role and node. */
import { keptCertificates } from './kept-certificates.ts';

export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

/** One authority, another one each time, and a certificate for each node, valid for `localhost` and 127.0.0.1. PEM texts. */
export async function makeCertificates(nodes: Readonly<Record<string, 'frontend' | 'backend'>>): Promise<Readonly<Record<string, TestCertificate>>> {
  const { authority, certificates } = await keptCertificates({
    authority: { commonName: 'test authority', organisation: 'test' },
    certificates: Object.fromEntries(Object.entries(nodes).map(([node, role]) => [
      node, { subject: { O: 'test', OU: role, CN: node }, dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'], usages: ['server', 'client'] },
    ])),
  });
  return Object.fromEntries(Object.entries(certificates).map(([node, { certificate, key }]) => [node, { certificate, key, authority: authority.certificate }]));
}
