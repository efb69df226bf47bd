/** Certificates for tests, issued by an authority of the cluster's kind: subjects carry cluster, role and node. */
import { createAuthority, issueCertificate } from '../../shared/tls/authority.ts';

export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

/** Makes one authority and a certificate for each node, valid for `localhost` and 127.0.0.1. PEM texts. */
export async function makeCertificates(nodes: Readonly<Record<string, 'frontend' | 'backend'>>): Promise<Readonly<Record<string, TestCertificate>>> {
  const authority = await createAuthority({ commonName: 'test authority', organisation: 'test' });
  return Object.fromEntries(await Promise.all(Object.entries(nodes).map(async ([node, role]) => {
    const issued = await issueCertificate(authority, {
      subject: { O: 'test', OU: role, CN: node }, dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'], usages: ['server', 'client'],
    });
    return [node, { certificate: issued.certificate, key: issued.key, authority: authority.certificate }] as const;
  })));
}
