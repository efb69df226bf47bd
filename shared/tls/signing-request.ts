/** Requests for node certificates (PKCS #10, RFC 2986): made where the key is, which never leaves; read where the authority signs. */
import forge from 'node-forge';
import { Failure } from '../base/failure.ts';
import { nameFields, newKeys } from './authority.ts';
import type { Subject } from './authority.ts';

export interface SigningRequest {
  readonly subject: Readonly<Record<keyof Subject, string | undefined>>;
  /** PEM. */
  readonly publicKey: string;
}

/** Longer ones are not read; one for 4096 bits has 1.7 kB. */
export const longestRequest = 8192;
const keyBits = { min: 2048, max: 4096 };

/** A new key, and the request for its certificate. PEM texts. */
export async function createSigningRequest(subject: Subject): Promise<{ readonly key: string; readonly request: string }> {
  const { key } = await newKeys();
  return { key, request: signingRequestFor(key, subject) };
}

/** The request for the certificate of a key that is there, for these names too. PEM. */
export function signingRequestFor(key: string, subject: Subject, dnsNames: readonly string[] = []): string {
  const request = forge.pki.createCertificationRequest();
  const privateKey = forge.pki.privateKeyFromPem(key);
  request.publicKey = forge.pki.setRsaPublicKey(privateKey.n, privateKey.e);
  request.setSubject(nameFields(subject));
  if (dnsNames.length > 0) request.setAttributes([{ name: 'extensionRequest', extensions: [{ name: 'subjectAltName', altNames: dnsNames.map((value) => ({ type: 2, value })) }] }]);
  request.sign(privateKey, forge.md.sha256.create());
  return forge.pki.certificationRequestToPem(request).replaceAll('\r\n', '\n');
}

/** Whoever sent it has the key: its signature is checked. @throws Failure('bad-input') */
export function readSigningRequest(pem: string): SigningRequest {
  const request = parse(pem);
  const publicKey = request.publicKey as forge.pki.rsa.PublicKey;
  const bits = publicKey.n.bitLength();
  if (bits < keyBits.min || bits > keyBits.max) throw new Failure('bad-input', `the key has ${String(bits)} bits; it is to be RSA with ${String(keyBits.min)} to ${String(keyBits.max)}`);
  const field = (name: string): string | undefined => {
    const value: unknown = (request.subject.getField(name) as { readonly value?: unknown } | null)?.value;
    return typeof value === 'string' ? decode(value) : undefined;
  };
  return { subject: { CN: field('CN'), O: field('O'), OU: field('OU') }, publicKey: forge.pki.publicKeyToPem(publicKey) };
}

function parse(pem: string): ReturnType<typeof forge.pki.certificationRequestFromPem> {
  try {
    if (pem.length > longestRequest) throw new Error('it is too long');
    const request = forge.pki.certificationRequestFromPem(pem);
    if (!request.verify()) throw new Error('its signature is wrong');
    return request;
  } catch (cause) {
    throw new Failure('bad-input', `that is no request for a certificate with an RSA key: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Names are UTF-8 strings here; node-forge gives their bytes. */
function decode(bytes: string): string {
  try {
    return forge.util.decodeUtf8(bytes);
  } catch (cause) {
    throw new Failure('bad-input', 'a name in the request is not UTF-8', { cause });
  }
}
