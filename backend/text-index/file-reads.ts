/**
 * Reads pieces of a file. A search reads many small ones, mostly out of the system's memory, where handing each to another thread costs many times as
 * much as the read itself; so they are read at once, as long as that is fast. When a disk is seen to be waited for, others work meanwhile.
 */
import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/** Longer pieces are worth the way to another thread. */
const mostAtOnceBytes = 64 * 1024;
/** A read that took longer has waited for a disk. */
const waitedMs = 0.5;
/** For so long after that no read holds up others. */
const patientMs = 1000;

export class FileReads {
  readonly #file: FileHandle;
  /** Until then, on the clock of `performance`. */
  #patientUntilMs = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** So many bytes; fewer only where the file ends. Throws the system's error. */
  async read(position: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    for (let filled = 0; filled < length; ) {
      const count = this.#isFast(length) ? this.#readNow(bytes, filled, position) : (await this.#file.read(bytes, filled, length - filled, position + filled)).bytesRead;
      if (count === 0) return bytes.subarray(0, filled);
      filled += count;
    }
    return bytes;
  }

  #isFast(length: number): boolean {
    return length <= mostAtOnceBytes && (this.#patientUntilMs === 0 || performance.now() >= this.#patientUntilMs);
  }

  #readNow(bytes: Buffer, filled: number, position: number): number {
    const beganMs = performance.now();
    const count = readSync(this.#file.fd, bytes, filled, bytes.length - filled, position + filled);
    const endedMs = performance.now();
    this.#patientUntilMs = endedMs - beganMs > waitedMs ? endedMs + patientMs : 0;
    return count;
  }
}
