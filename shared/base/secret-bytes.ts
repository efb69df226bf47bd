/** Random bytes for secrets made in this process: the system's, with the SSL random file mixed in where there is one. */
import { hkdfSync, randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Failure } from './failure.ts';

/** So much of the file is used; it may be a device without an end. */
const seedBytes = 4096;

let seed: Buffer = Buffer.alloc(0);

/**
 * Reads the file, whose first bytes are mixed into all secrets that are made from now on.
 * @throws Failure('bad-input') that names the file when it can't be read or is empty.
 */
export async function mixIntoSecrets(file: string): Promise<void> {
  try {
    await using handle = await open(file, 'r');
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(seedBytes), 0, seedBytes, null);
    if (bytesRead === 0) throw new Error('it is empty');
    seed = buffer.subarray(0, bytesRead);
  } catch (error) {
    throw new Failure('bad-input', `the SSL random file ${file} can't be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** HKDF (RFC 5869) over the system's randomness and the file, so a poor file takes nothing away. */
export function secretBytes(length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', Buffer.concat([randomBytes(64), seed]), Buffer.alloc(0), 'waybill random', length));
}
