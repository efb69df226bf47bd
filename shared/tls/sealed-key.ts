/** A private key at rest, encrypted under a passphrase: scrypt (RFC 7914) makes the key of AES-256-GCM. JSON text. */
import { createCipheriv, createDecipheriv, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { Failure } from '../base/failure.ts';
import { secretBytes } from '../base/secret-bytes.ts';

/** 128 MB and about half a second for each guess of a passphrase. */
const costs = { N: 131_072, r: 8, p: 1 } as const;
const memoryBytes = 256 * 1024 * 1024;

const base64 = z.base64().max(65_536);
const sealedSchema = z.strictObject({
  format: z.literal('waybill sealed key 1'),
  scrypt: z.strictObject({ N: z.literal(costs.N), r: z.literal(costs.r), p: z.literal(costs.p), salt: base64 }),
  nonce: base64,
  tag: base64,
  sealed: base64,
});
const format = 'waybill sealed key 1';

const derive = promisify<string, Buffer, number, { readonly N: number; readonly r: number; readonly p: number; readonly maxmem: number }, Buffer>(scrypt);

export async function sealKey(key: string, passphrase: string): Promise<string> {
  const [salt, nonce] = [secretBytes(32), secretBytes(12)];
  const cipher = createCipheriv('aes-256-gcm', await derive(passphrase, salt, 32, { ...costs, maxmem: memoryBytes }), nonce);
  cipher.setAAD(Buffer.from(format));
  const sealed = Buffer.concat([cipher.update(key, 'utf8'), cipher.final()]);
  const text = (bytes: Buffer): string => bytes.toString('base64');
  return `${JSON.stringify({ format, scrypt: { ...costs, salt: text(salt) }, nonce: text(nonce), tag: text(cipher.getAuthTag()), sealed: text(sealed) } satisfies z.input<typeof sealedSchema>)}\n`;
}

/** @throws Failure('bad-input') for a text that is none of ours, Failure('bad-credentials') for another passphrase or a damaged text */
export async function openSealedKey(text: string, passphrase: string): Promise<string> {
  const { scrypt: { salt }, nonce, tag, sealed } = parse(text);
  const bytes = (value: string): Buffer => Buffer.from(value, 'base64');
  const secret = await derive(passphrase, bytes(salt), 32, { ...costs, maxmem: memoryBytes });
  try {
    const decipher = createDecipheriv('aes-256-gcm', secret, bytes(nonce), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(format));
    decipher.setAuthTag(bytes(tag));
    return Buffer.concat([decipher.update(bytes(sealed)), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new Failure('bad-credentials', 'the passphrase is not the one it was sealed with, or it is damaged', { cause });
  }
}

function parse(text: string): z.output<typeof sealedSchema> {
  try {
    return sealedSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Failure('bad-input', 'it holds no sealed key', { cause });
  }
}
