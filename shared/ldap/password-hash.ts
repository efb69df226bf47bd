/**
 * Values of `userPassword` (RFC 2307 section 5.3 and OpenLDAP's additions): `{SCHEME}…` or clear text. Used where a password
 * is fetched and compared, and by the embedded directory.
 */
import { verify as verifyArgon2 } from '@node-rs/argon2';
import { compare as compareBcrypt } from 'bcryptjs';
import { createHash, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { encrypt as unixCrypt } from 'unixcrypt';
import { isPasswordOf, parseScramKeys } from '../sasl/scram-keys.ts';

/** `unsupported`: a scheme that can't be checked here; it never matches. */
export type PasswordMatch = 'match' | 'mismatch' | 'unsupported';

interface Digest { readonly hash: string; readonly bytes: number }

const digests: ReadonlyMap<string, Digest> = new Map([
  ['SSHA', { hash: 'sha1', bytes: 20 }], ['SHA', { hash: 'sha1', bytes: 20 }],
  ['SSHA256', { hash: 'sha256', bytes: 32 }], ['SHA256', { hash: 'sha256', bytes: 32 }],
  ['SSHA512', { hash: 'sha512', bytes: 64 }], ['SHA512', { hash: 'sha512', bytes: 64 }],
]);
const pbkdf2Digests: ReadonlyMap<string, Digest> = new Map([
  ['PBKDF2', { hash: 'sha1', bytes: 20 }], ['PBKDF2-SHA1', { hash: 'sha1', bytes: 20 }],
  ['PBKDF2-SHA256', { hash: 'sha256', bytes: 32 }], ['PBKDF2-SHA512', { hash: 'sha512', bytes: 64 }],
]);
const schemeGrammar = /^\{(?<scheme>[A-Za-z0-9._/-]+)\}(?<rest>.*)$/s;

/** Whether a value already bears a scheme, so that it must not be hashed once more. */
export function isHashed(stored: string): boolean {
  return schemeGrammar.test(stored);
}

/** The password itself, where a value holds it in the clear. */
export function clearTextOf(stored: string): string | undefined {
  if (parseScramKeys(stored) !== undefined) return undefined;
  const { scheme, rest } = schemeGrammar.exec(stored)?.groups ?? {};
  return scheme === undefined ? stored : scheme.toUpperCase() === 'CLEARTEXT' ? rest : undefined;
}

/** Compares a password with a stored value, without telling by its time where they differ. An empty password never matches. */
export async function verifyPassword(stored: string, password: string): Promise<PasswordMatch> {
  if (password === '') return 'mismatch';
  const scram = parseScramKeys(stored);
  if (scram !== undefined) return await isPasswordOf(scram.mechanism, scram.keys, password) ? 'match' : 'mismatch';
  const { scheme, rest = '' } = schemeGrammar.exec(stored)?.groups ?? {};
  const name = scheme?.toUpperCase();
  if (name === undefined) return sameText(stored, password);
  if (name === 'CLEARTEXT') return sameText(rest, password);
  if (name === 'CRYPT') return await verifyCrypt(rest, password);
  if (name === 'ARGON2') return await verifyArgon2(rest, password).catch(() => false) ? 'match' : 'mismatch';
  const digest = digests.get(name);
  if (digest !== undefined) return verifyDigest(digest, rest, password);
  const pbkdf2Digest = pbkdf2Digests.get(name);
  return pbkdf2Digest === undefined ? 'unsupported' : await verifyPbkdf2(pbkdf2Digest, rest, password);
}

/**
 * A new stored value: salted SHA-512. A slow hash (argon2) would protect a stolen file better, but the embedded directory
 * checks the logins of a whole cluster in one process, where 20 ms for each would be its limit; who wants argon2 writes
 * `{ARGON2}` values, which are kept and checked as they are.
 */
export function hashPassword(password: string): string {
  const salt = randomBytes(16);
  return `{SSHA512}${Buffer.concat([createHash('sha512').update(password).update(salt).digest(), salt]).toString('base64')}`;
}

function verifyDigest(digest: Digest, encoded: string, password: string): PasswordMatch {
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length < digest.bytes) return 'mismatch';
  const computed = createHash(digest.hash).update(password).update(bytes.subarray(digest.bytes)).digest();
  return sameBytes(computed, bytes.subarray(0, digest.bytes));
}

/** `iterations$salt$hash`, both in base64 with `.` for `+` and without padding (OpenLDAP's pw-pbkdf2). */
async function verifyPbkdf2(digest: Digest, encoded: string, password: string): Promise<PasswordMatch> {
  const [iterations = '', salt = '', hash = ''] = encoded.split('$');
  const expected = fromAdaptedBase64(hash);
  if (!/^[1-9]\d{0,8}$/.test(iterations) || expected.length === 0) return 'mismatch';
  const computed = await promisify(pbkdf2)(password, fromAdaptedBase64(salt), Number(iterations), expected.length, digest.hash);
  return sameBytes(computed, expected);
}

async function verifyCrypt(hash: string, password: string): Promise<PasswordMatch> {
  if (/^\$2[abxy]\$/.test(hash)) return await compareBcrypt(password, hash) ? 'match' : 'mismatch';
  if (!/^\$[56]\$(?:rounds=\d{1,9}\$)?[^$]+\$[./A-Za-z0-9]+$/.test(hash)) return 'unsupported';
  return sameText(hash, unixCrypt(password, hash.slice(0, hash.lastIndexOf('$'))));
}

/** Compares digests, so that neither length nor place of a difference shows in the time taken. */
function sameText(a: string, b: string): PasswordMatch {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return sameBytes(digest(a), digest(b));
}

function sameBytes(a: Buffer, b: Buffer): PasswordMatch {
  return timingSafeEqual(a, b) ? 'match' : 'mismatch';
}

function fromAdaptedBase64(text: string): Buffer {
  return Buffer.from(text.replaceAll('.', '+'), 'base64');
}
