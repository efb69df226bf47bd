/** The SSL random file: its bytes are mixed with the system's randomness into the secrets that Waybill makes itself. */
import { hkdfSync, randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import forge from 'node-forge';
import { Failure } from '../base/failure.ts';

/** So much of the file is used; it may be a device without an end. */
const seedBytes = 4096;

/** Gives fresh random bytes for cookie keys, tokens and the like. */
export type RandomSource = (length: number) => Buffer;

/**
 * Makes a source of random bytes: HKDF (RFC 5869) over the system's randomness and the first bytes of the file, so a poor
 * file takes nothing away. node-forge's generator is seeded by it too.
 * @throws Failure('bad-input') that names the file when it can't be read or is empty.
 */
export async function createRandomSource(sslRandomFile: string | undefined): Promise<RandomSource> {
  const seed = sslRandomFile === undefined ? Buffer.alloc(0) : await readSeed(sslRandomFile);
  const source: RandomSource = (length) => Buffer.from(hkdfSync('sha256', Buffer.concat([randomBytes(64), seed]), Buffer.alloc(0), 'waybill random', length));
  // The published types leave `collect` out.
  (forge.random as unknown as { collect(bytes: string): void }).collect(source(64).toString('latin1'));
  return source;
}

async function readSeed(file: string): Promise<Buffer> {
  try {
    await using handle = await open(file, 'r');
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(seedBytes), 0, seedBytes, null);
    if (bytesRead === 0) throw new Error('it is empty');
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw new Failure('bad-input', `the SSL random file ${file} can't be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
