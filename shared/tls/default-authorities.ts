/** The authorities that this process trusts wherever a TLS connection of ours names none of its own. */
import { readFile } from 'node:fs/promises';
import { setDefaultCACertificates } from 'node:tls';
import { Failure } from '../base/failure.ts';

/** Those in the PEM file, instead of those that come with Node. @throws Failure('bad-input') that names the file */
export async function trustOnly(file: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Failure('bad-input', `caBundle: ${file} can't be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    if (certificates.length === 0) throw new Error('there is no certificate in it');
    setDefaultCACertificates(certificates);
  } catch (cause) {
    throw new Failure('bad-input', `caBundle: ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
