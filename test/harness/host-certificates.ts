/** Certificates of host names for tests, written as files; every one of an authority of its own that nobody trusts. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, issueCertificate } from '../../shared/tls/authority.ts';

/** `NAME.pem` and `NAME.key` for each; the common name is NAME. */
export async function writeCertificates(folder: string, wanted: Readonly<Record<string, { readonly dnsNames: readonly string[]; readonly validDays?: number }>>): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const authority = await createAuthority({ commonName: 'authority of virtual hosts' });
  await Promise.all(Object.entries(wanted).map(async ([name, { dnsNames, validDays }]) => {
    const { certificate, key } = await issueCertificate(authority, { subject: { CN: name }, dnsNames, ipAddresses: [], usages: ['server'], validDays });
    writeFileSync(join(folder, `${name}.pem`), certificate);
    writeFileSync(join(folder, `${name}.key`), key);
  }));
}
