/** The certificates of a PEM text. */
import { X509Certificate } from 'node:crypto';

/** @throws the parser's error for what is none */
export function certificatesIn(pem: string): X509Certificate[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((text) => new X509Certificate(text));
}
