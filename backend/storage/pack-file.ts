/**
 * One pack file that this process is writing: records are appended in the order in which they come, several by one write,
 * and one fdatasync settles all that were written before it. After a failed write or flush the file takes nothing more.
 */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../../shared/base/failure.ts';
import { flush } from './directories.ts';
import { encodeFileHeader, fileHeaderBytes } from './pack-format.ts';

export class PackFile {
  readonly number: number;
  readonly #handle: FileHandle;
  /** Where the next bytes that come will lie, and how far bytes are written. */
  #end = fileHeaderBytes;
  #position = fileHeaderBytes;
  /** Counts finished writes; a flush settles those that were finished when it began. */
  #written = 0;
  #settled = 0;
  #failure: Failure | undefined;
  #waiting: Buffer[] = [];
  #writing: Promise<void> = Promise.resolve();
  #nextWrite: Promise<number> | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #nextFlush: Promise<void> | undefined;

  private constructor(number: number, handle: FileHandle) {
    this.number = number;
    this.#handle = handle;
  }

  /** Makes the file; its name is on stable storage when this resolves. Throws `storage-failure`, `storage-full`. */
  static async create(path: string, number: number): Promise<PackFile> {
    try {
      const handle = await open(path, 'wx+', 0o600);
      await handle.write(encodeFileHeader(number), 0, fileHeaderBytes, 0);
      await handle.sync();
      flush(dirname(path));
      return new PackFile(number, handle);
    } catch (error) {
      throw asFailure(error);
    }
  }

  /** Bytes so far, those being written included. */
  get size(): number {
    return this.#end;
  }

  /** True after a failed write or flush. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * Writes the bytes at the end of the file; they begin at the `size` of the moment of the call. Calls that come while
   * a write is under way share the next one. Answers a ticket for `settle`. Throws `storage-failure`, `storage-full`.
   */
  append(bytes: Buffer): Promise<number> {
    this.#end += bytes.length;
    this.#waiting.push(bytes);
    this.#nextWrite ??= this.#writeAfterThis();
    return this.#nextWrite;
  }

  async #writeAfterThis(): Promise<number> {
    await this.#writing;
    this.#nextWrite = undefined;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    const write = this.#write(bytes);
    this.#writing = write.then(ignore, ignore); // its own callers hear of a failure
    return write;
  }

  async #write(bytes: Buffer): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      for (let rest = bytes; rest.length > 0; ) {
        const { bytesWritten } = await this.#handle.write(rest, 0, rest.length, this.#position);
        this.#position += bytesWritten;
        rest = rest.subarray(bytesWritten);
      }
    } catch (error) {
      this.#failure = asFailure(error);
      throw this.#failure;
    }
    this.#written += 1;
    return this.#written;
  }

  /** Resolves when what `append` gave that ticket for, and all before it, is on stable storage. Throws `storage-failure`. */
  async settle(ticket: number): Promise<void> {
    if (ticket <= this.#settled) return;
    this.#nextFlush ??= this.#flushAfterThis();
    await this.#nextFlush;
  }

  async #flushAfterThis(): Promise<void> {
    await this.#flushing;
    this.#nextFlush = undefined;
    const flush = this.#flush();
    this.#flushing = flush.catch(ignore);
    await flush;
  }

  async #flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const covered = this.#written;
    try {
      await this.#handle.datasync();
      this.#settled = covered;
    } catch (error) {
      this.#failure = asFailure(error); // what a failed flush has written is unknown: never try it again
      throw this.#failure;
    }
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#flushing;
    await this.#handle.close();
  }
}

function ignore(): void {
  // the one who asked has been told
}

function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const full = error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  return full
    ? new Failure('storage-full', 'no space left', { cause: error })
    : new Failure('storage-failure', 'message could not be written', { cause: error });
}
