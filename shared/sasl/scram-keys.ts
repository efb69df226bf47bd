/**
 * What a server keeps of a password for SCRAM (RFC 5802 section 3): derived from the password, or read from a directory's
 * value. Who steals the keys can't log in with them, but could try passwords against them.
 */
import { saslprep } from '@mongodb-js/saslprep';
import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

export type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-1';
export type ScramHash = 'sha256' | 'sha1';

export interface ScramKeys {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** For keys of ours: what RFC 7677 section 4 asks for at least, and what tools that write such keys take by default. */
export const scramIterations = 4096;
export const scramSaltBytes = 16;
/** More would let one login of a stranger keep a processor busy for seconds. */
const mostIterations = 1_000_000;

const hashes: Readonly<Record<ScramMechanism, { readonly hash: ScramHash; readonly bytes: number }>> = {
  'SCRAM-SHA-256': { hash: 'sha256', bytes: 32 },
  'SCRAM-SHA-1': { hash: 'sha1', bytes: 20 },
};

/** The hash function of a mechanism. */
export function hashOf(mechanism: ScramMechanism): ScramHash {
  return hashes[mechanism].hash;
}

/**
 * Two spellings: `{SCRAM-SHA-256}iterations,salt,StoredKey,ServerKey` as values of userPassword have it, and
 * `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey` of RFC 5803 section 2, with braces or without.
 */
const storedGrammar = /^\{?(?<name>SCRAM-SHA-(?:1|256))[}$](?<iterations>\d{1,7})[,:](?<salt>[^,:$]+)[,$](?<stored>[^,:$]+)[,:](?<server>[^,:$]+)$/i;

/** The keys in a directory's value; undefined when it holds none, or none that can be used. */
export function parseScramKeys(value: string): { readonly mechanism: ScramMechanism; readonly keys: ScramKeys } | undefined {
  const found = storedGrammar.exec(value)?.groups;
  if (found === undefined) return undefined;
  const mechanism = found['name']?.toUpperCase() === 'SCRAM-SHA-1' ? 'SCRAM-SHA-1' : 'SCRAM-SHA-256';
  const [salt, storedKey, serverKey] = ['salt', 'stored', 'server'].map((part) => Buffer.from(found[part] ?? '', 'base64'));
  const iterations = Number(found['iterations']);
  const { bytes } = hashes[mechanism];
  if (salt === undefined || salt.length === 0 || storedKey?.length !== bytes || serverKey?.length !== bytes) return undefined;
  if (iterations < 1 || iterations > mostIterations) return undefined;
  return { mechanism, keys: { iterations, salt, storedKey, serverKey } };
}

const pbkdf2Later = promisify(pbkdf2);

/** Derives the keys. A password that SASLprep (RFC 4013) forbids is taken as it is: other mechanisms take it, too. */
export async function deriveScramKeys(
  mechanism: ScramMechanism,
  password: string,
  { salt, iterations }: Pick<ScramKeys, 'salt' | 'iterations'>,
): Promise<ScramKeys> {
  const { hash, bytes } = hashes[mechanism];
  const salted = await pbkdf2Later(prepared(password), salt, iterations, bytes, hash);
  const clientKey = createHmac(hash, salted).update('Client Key').digest();
  return { salt, iterations, storedKey: createHash(hash).update(clientKey).digest(), serverKey: createHmac(hash, salted).update('Server Key').digest() };
}

/** Whether the keys are those of this password. */
export async function isPasswordOf(mechanism: ScramMechanism, keys: ScramKeys, password: string): Promise<boolean> {
  const { storedKey } = await deriveScramKeys(mechanism, password, keys);
  return timingSafeEqual(storedKey, keys.storedKey);
}

function prepared(password: string): string {
  try {
    return saslprep(password);
  } catch (error) {
    if (error instanceof Error) return password; // forbidden characters; the package has no error class of its own
    throw error;
  }
}
