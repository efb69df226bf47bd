/**
 * Values of `userPassword` (RFC 2307 section 5.3, OpenLDAP's additions, and Dovecot's names for the same): `{SCHEME}…` or
 * clear text. Used where a password is fetched and compared, and by the embedded directory. Nothing slow is computed on the
 * event loop, and what a value may cost is bounded: one from a hostile hand is `unsupported`, never a worker that hangs.
 */
import { hash as hashArgon2, verify as verifyArgon2 } from '@node-rs/argon2';
import { createHash, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Failure } from '../base/failure.ts';
import { isPasswordOf, parseScramKeys } from '../sasl/scram-keys.ts';
import { isCheckable, verifyUnixCrypt } from './unix-crypt.ts';

/** `unsupported`: a scheme that can't be checked here, or only at too high a cost; it never matches. */
export type PasswordMatch = 'match' | 'mismatch' | 'unsupported';

interface Digest { readonly hash: string; readonly bytes: number }

const digests: ReadonlyMap<string, Digest> = new Map([
  ['SSHA', { hash: 'sha1', bytes: 20 }], ['SHA', { hash: 'sha1', bytes: 20 }],
  ['SSHA256', { hash: 'sha256', bytes: 32 }], ['SHA256', { hash: 'sha256', bytes: 32 }],
  ['SSHA512', { hash: 'sha512', bytes: 64 }], ['SHA512', { hash: 'sha512', bytes: 64 }],
  ['SMD5', { hash: 'md5', bytes: 16 }], ['MD5', { hash: 'md5', bytes: 16 }],
]);
const pbkdf2Digests: ReadonlyMap<string, Digest> = new Map([
  ['PBKDF2', { hash: 'sha1', bytes: 20 }], ['PBKDF2-SHA1', { hash: 'sha1', bytes: 20 }],
  ['PBKDF2-SHA256', { hash: 'sha256', bytes: 32 }], ['PBKDF2-SHA512', { hash: 'sha512', bytes: 64 }],
]);
const clearText: ReadonlySet<string> = new Set(['CLEARTEXT', 'CLEAR', 'PLAIN']);
const crypts: ReadonlySet<string> = new Set(['CRYPT', 'BLF-CRYPT', 'SHA256-CRYPT', 'SHA512-CRYPT', 'MD5-CRYPT']);
const argon2s: ReadonlySet<string> = new Set(['ARGON2', 'ARGON2I', 'ARGON2ID', 'ARGON2D']);

/** Each of these bounds is a second or two of a processor; RFC 9106 recommends 2 GiB once or 64 MiB three times, OWASP 210 000 to 1 300 000 iterations. */
const mostArgon2Kibibytes = 2 * 1024 * 1024;
const mostArgon2Work = 4 * 1024 * 1024;
const mostArgon2Lanes = 64;
const mostPbkdf2Iterations = 2_000_000;
const argon2Grammar = /^\$argon2(?:i|d|id)\$(?:v=\d+\$)?m=(?<kibibytes>\d{1,8}),t=(?<passes>\d{1,6}),p=(?<lanes>\d{1,4})\$/;
const schemeGrammar = /^\{(?<scheme>[A-Za-z0-9._/-]+)\}(?<rest>.*)$/s;

/** Whether a value already bears a scheme, so that it must not be hashed once more. */
export function isHashed(stored: string): boolean {
  return schemeGrammar.test(stored);
}

/** The password itself, where a value holds it in the clear. */
export function clearTextOf(stored: string): string | undefined {
  if (parseScramKeys(stored) !== undefined) return undefined;
  const { scheme, rest } = schemeGrammar.exec(stored)?.groups ?? {};
  return scheme === undefined ? stored : clearText.has(scheme.toUpperCase()) ? rest : undefined;
}

/** Compares a password with a stored value, without telling by its time where they differ. An empty password never matches. */
export async function verifyPassword(stored: string, password: string): Promise<PasswordMatch> {
  if (password === '') return 'mismatch';
  const scram = parseScramKeys(stored);
  if (scram !== undefined) return await isPasswordOf(scram.mechanism, scram.keys, password) ? 'match' : 'mismatch';
  const { scheme, rest = '' } = schemeGrammar.exec(stored)?.groups ?? {};
  const name = scheme?.toUpperCase();
  if (name === undefined) return sameText(stored, password);
  if (clearText.has(name)) return sameText(rest, password);
  if (crypts.has(name)) return isCheckable(rest) ? await verifyUnixCrypt(rest, password) ? 'match' : 'mismatch' : 'unsupported';
  if (argon2s.has(name)) return await verifyArgon2Value(rest, password);
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

/** RFC 9106 section 4 asks for 64 MiB where memory is scarce; the recommendation of OWASP for servers: 19 MiB, two passes. */
const argon2Cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const longestPasswordBytes = 1024;

/** `{ARGON2}$argon2id$…`, as OpenLDAP would keep it. @throws Failure('bad-input') for what nobody could log in with */
export async function hashPasswordSlowly(password: string): Promise<string> {
  if (password === '' || password.includes('\0') || Buffer.byteLength(password) > longestPasswordBytes) {
    throw new Failure('bad-input', `a password has 1 to ${String(longestPasswordBytes)} bytes, none of them NUL`);
  }
  return `{ARGON2}${await hashArgon2(password, argon2Cost)}`;
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
  if (!/^[1-9]\d{0,8}$/.test(iterations) || expected.length !== digest.bytes) return 'mismatch';
  if (Number(iterations) > mostPbkdf2Iterations) return 'unsupported';
  const computed = await promisify(pbkdf2)(password, fromAdaptedBase64(salt), Number(iterations), expected.length, digest.hash);
  return sameBytes(computed, expected);
}

async function verifyArgon2Value(encoded: string, password: string): Promise<PasswordMatch> {
  const { kibibytes, passes, lanes } = argon2Grammar.exec(encoded)?.groups ?? {};
  if (kibibytes === undefined || encoded.length > 1000) return 'mismatch';
  const isDear = Number(kibibytes) > mostArgon2Kibibytes || Number(kibibytes) * Number(passes) > mostArgon2Work || Number(lanes) > mostArgon2Lanes;
  if (isDear) return 'unsupported';
  return await verifyArgon2(encoded, password).catch(() => false) ? 'match' : 'mismatch';
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
