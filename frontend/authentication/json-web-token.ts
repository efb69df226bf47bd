/** Signed tokens (RFC 7519 in the compact form of RFC 7515) and the keys they are signed with (RFC 7517). Pure. */
import { createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { Failure } from '../../shared/base/failure.ts';

type Algorithm = 'RS256' | 'ES256' | 'EdDSA';

export interface SigningKey {
  readonly id: string | undefined;
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
}

/** A token as it stands, nothing of it believed yet. */
export interface UnverifiedToken {
  readonly algorithm: string;
  readonly keyId: string | undefined;
  readonly claims: Claims;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

const headerSchema = z.looseObject({ alg: z.string(), kid: z.string().optional(), typ: z.string().optional(), crit: z.unknown().optional() });
const texts = z.union([z.string(), z.array(z.string())]);
const claimsSchema = z.looseObject({
  iss: z.string(), aud: texts, exp: z.number(), nbf: z.number().optional(), scope: texts.optional(), scp: texts.optional(), email_verified: z.unknown().optional(),
});
export type Claims = z.output<typeof claimsSchema>;

const keySchema = z.looseObject({ kty: z.string(), kid: z.string().optional(), use: z.string().optional(), alg: z.string().optional() });
const keySetSchema = z.looseObject({ keys: z.array(keySchema).max(1000) });
const leastRsaBits = 2048;

/** The keys of a set by which we can check; others are left out. @throws Failure('bad-input') when the text is no key set */
export function readKeySet(text: string): readonly SigningKey[] {
  const set = keySetSchema.safeParse(jsonOf(text));
  if (!set.success) throw new Failure('bad-input', 'not a JSON Web Key Set');
  return set.data.keys.map(signingKey).filter((key) => key !== undefined);
}

function signingKey(jwk: z.output<typeof keySchema>): SigningKey | undefined {
  if (!['RSA', 'EC', 'OKP'].includes(jwk.kty) || (jwk.use !== undefined && jwk.use !== 'sig')) return undefined;
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const algorithm = algorithmOf(key);
    if (algorithm === undefined || (jwk.alg !== undefined && jwk.alg !== algorithm)) return undefined;
    return { id: jwk.kid, algorithm, key };
  } catch (cause) {
    throw new Failure('bad-input', `the key ${jwk.kid ?? '(without kid)'} is malformed`, { cause });
  }
}

/** Each key serves one algorithm only: a token can't choose another one for it. */
function algorithmOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): Algorithm | undefined {
  if (type === 'ed25519') return 'EdDSA';
  if (type === 'ec') return details?.namedCurve === 'prime256v1' ? 'ES256' : undefined;
  return type === 'rsa' && (details?.modulusLength ?? 0) >= leastRsaBits ? 'RS256' : undefined;
}

/** Takes a token apart; undefined when it is none, or marked as something that we don't understand. */
export function readToken(token: string): UnverifiedToken | undefined {
  const parts = token.split('.');
  const [header, claims, signature] = parts.map((part) => Buffer.from(part, 'base64url'));
  if (parts.length !== 3 || header === undefined || claims === undefined || signature === undefined) return undefined;
  const readHeader = headerSchema.safeParse(jsonOf(header.toString('utf8')));
  const readClaims = claimsSchema.safeParse(jsonOf(claims.toString('utf8')));
  if (!readHeader.success || !readClaims.success) return undefined;
  const { alg, kid, typ, crit } = readHeader.data;
  // Tokens made for other purposes say so in `typ` (RFC 8725 section 3.11), and `crit` names what must be understood.
  if (crit !== undefined || (typ !== undefined && !/^(?:application\/)?(?:at\+)?jwt$/i.test(typ))) return undefined;
  return { algorithm: alg, keyId: kid, claims: readClaims.data, signed: Buffer.from(token.slice(0, token.lastIndexOf('.'))), signature };
}

/** Whether one of the keys made the signature. `none` is nobody's algorithm. */
export function isSigned(token: UnverifiedToken, keys: readonly SigningKey[]): boolean {
  return keys
    .filter(({ algorithm, id }) => algorithm === token.algorithm && (token.keyId === undefined || id === token.keyId))
    .some(({ algorithm, key }) => verify(algorithm === 'EdDSA' ? null : 'sha256', token.signed, { key, dsaEncoding: 'ieee-p1363' }, token.signature));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // no schema takes it
    throw error;
  }
}
