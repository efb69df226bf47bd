/** One-time passwords by the clock (RFC 6238, on RFC 4226), as authenticator programs make them: SHA-1, 30 s, 6 digits. Pure. */
import { createHmac } from 'node:crypto';
import { Failure } from '../base/failure.ts';

const stepMs = 30_000;
const digits = 6;
/** Clocks may differ by one step each way (RFC 6238 section 5.2). */
const tolerance = [0, -1, 1] as const;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** RFC 4226 section 4 asks for 128 bits at least. */
const leastSecretBytes = 16;

/** The code of one step. */
export function codeOfStep(secret: Buffer, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', secret).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0x0f; // dynamic truncation, RFC 4226 section 5.3
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** digits).padStart(digits, '0');
}

/** The step whose code this is, near `nowMs`; undefined when it is none. Who takes it must not take the same step again. */
export function stepOfCode(secret: Buffer, code: string, nowMs: number): number | undefined {
  const present = Math.floor(nowMs / stepMs);
  return tolerance.map((difference) => present + difference).find((step) => step >= 0 && codeOfStep(secret, step) === code);
}

/** Base32 (RFC 4648 section 6) as such secrets are written: case, blanks and padding don't count. @throws Failure('bad-input') */
export function decodeTotpSecret(text: string): Buffer {
  const letters = text.toUpperCase().replace(/[\s=-]/g, '');
  const values = [...letters].map((letter) => alphabet.indexOf(letter));
  if (values.includes(-1)) throw new Failure('bad-input', 'a TOTP secret is written in base32: letters and the digits 2 to 7');
  const bits = values.map((value) => value.toString(2).padStart(5, '0')).join('');
  const bytes = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  if (bytes.length < leastSecretBytes) throw new Failure('bad-input', `a TOTP secret has at least ${String(leastSecretBytes)} bytes (26 letters)`);
  return bytes;
}

export function encodeTotpSecret(secret: Buffer): string {
  const bits = [...secret].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{1,5}/g) ?? []).map((five) => alphabet.charAt(Number.parseInt(five.padEnd(5, '0'), 2))).join('');
}

/** What authenticator programs read (Google's Key URI format). */
export function otpauthUri(secret: string, issuer: string, name: string): string {
  return `otpauth://totp/${encodeURIComponent(issuer)}:${encodeURIComponent(name)}?secret=${secret}&issuer=${encodeURIComponent(issuer)}&algorithm=SHA1&digits=${String(digits)}&period=${String(stepMs / 1000)}`;
}
