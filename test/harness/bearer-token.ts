/** Signed JSON Web Tokens (RFC 7519, RFC 7515) as an issuer of logins makes them. */
import { sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

export interface TokenParts {
  readonly header: { readonly alg: string; readonly kid: string } & object;
  readonly claims: object;
  readonly key: KeyObject;
}

export function bearerToken({ header, claims, key }: TokenParts): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ typ: 'JWT', ...header })}.${part(claims)}`;
  return `${signed}.${sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

/** A key as it stands in an issuer's file (RFC 7517). */
export function jsonWebKey(key: KeyObject, kid: string): object {
  return { ...key.export({ format: 'jwk' }), kid, use: 'sig' };
}
