/** Values that nodes sign for themselves (cookies, tokens): a JSON payload and its HMAC-SHA256, both base64url. Pure. */
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface SigningKey {
  /** Equal on all nodes that are to take the value. */
  readonly secret: Buffer;
  /** What the values are for: one signed for another purpose never counts. */
  readonly purpose: string;
}

const shortestSecretBytes = 32;
/** A longer value is nobody's of ours. */
const longestValue = 2048;

export function signValue(payload: unknown, key: SigningKey): string {
  const text = Buffer.from(JSON.stringify(payload)).toString('base64url');
  return `${text}.${mac(text, key).toString('base64url')}`;
}

/** The payload of a value that was signed with this key; otherwise undefined. */
export function readSignedValue(value: string, key: SigningKey): unknown {
  const [text = '', signature = '', ...rest] = value.slice(0, longestValue).split('.');
  const given = Buffer.from(signature, 'base64url');
  const expected = mac(text, key);
  if (rest.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  return JSON.parse(Buffer.from(text, 'base64url').toString());
}

function mac(text: string, { secret, purpose }: SigningKey): Buffer {
  if (secret.length < shortestSecretBytes) throw new Error(`a secret that signs needs at least ${String(shortestSecretBytes)} bytes`);
  return createHmac('sha256', secret).update(`${purpose}\0`).update(text).digest();
}
