/** Signed messages of ACME: JWS by ECDSA P-256 (RFC 7515, RFC 7518 section 3.4), thumbprints of keys (RFC 7638), http-01's answer (RFC 8555 section 8.1). Pure. */
import { createHash, createPublicKey, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

interface PublicJwk {
  readonly crv: string;
  readonly kty: string;
  readonly x: string;
  readonly y: string;
}

export interface JwsParts {
  readonly key: KeyObject;
  /** The account's URL; absent until there is one: then the key itself goes along. */
  readonly account: string | undefined;
  readonly url: string;
  readonly nonce: string;
  /** Undefined: POST-as-GET (RFC 8555 section 6.3). */
  readonly payload: object | undefined;
}

/** The members in the order that a thumbprint wants. */
function publicJwk(key: KeyObject): PublicJwk {
  const { crv = '', kty = '', x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' });
  return { crv, kty, x, y };
}

export function signedMessage({ key, account, url, nonce, payload }: JwsParts): string {
  const text = (value: object | undefined): string => (value === undefined ? '' : Buffer.from(JSON.stringify(value)).toString('base64url'));
  const head = text({ alg: 'ES256', url, nonce, ...(account === undefined ? { jwk: publicJwk(key) } : { kid: account }) });
  const body = text(payload);
  const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
  return JSON.stringify({ protected: head, payload: body, signature });
}

export function keyAuthorization(token: string, key: KeyObject): string {
  return `${token}.${createHash('sha256').update(JSON.stringify(publicJwk(key))).digest('base64url')}`;
}

/** A token as servers make them (RFC 8555 section 8.3: base64url); it becomes the name of a file. */
export function isChallengeToken(text: string): boolean {
  return /^[A-Za-z0-9_-]{22,128}$/.test(text);
}
