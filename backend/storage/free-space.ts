/** Watches that a file system keeps a reserve of free space, so that a storage refuses mail before the disk is full. */
import { statfs } from 'node:fs/promises';
import { Failure } from '../../shared/base/failure.ts';

const answerKeptMs = 1000;

export class FreeSpace {
  readonly #directory: string;
  readonly #reserveBytes: number;
  #askedAt = -Infinity;
  #answer: Promise<number> = Promise.resolve(Infinity);

  constructor(directory: string, reserveBytes: number) {
    this.#directory = directory;
    this.#reserveBytes = reserveBytes;
  }

  /** Throws `storage-full` when less than the reserve is free (the answer may be a second old), `storage-failure` when that can't be found out. */
  async check(): Promise<void> {
    const now = performance.now();
    if (now - this.#askedAt >= answerKeptMs) {
      this.#askedAt = now;
      this.#answer = freeBytes(this.#directory);
    }
    if ((await this.#answer) < this.#reserveBytes) throw new Failure('storage-full', 'not enough space left');
  }
}

/** Of the file system, for who is no superuser. Throws `storage-failure`. */
export async function freeBytes(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch (error) {
    throw new Failure('storage-failure', 'the storage cannot be reached', { cause: error });
  }
}
