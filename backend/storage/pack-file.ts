/**
 * One pack file that this process is writing: records are appended in the order in which they come. They wait in memory until
 * somebody wants them settled: one write through O_DSYNC, or a write and an fdatasync, then serve all that have come. After a failed
 * write or flush the file takes nothing more.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../../shared/base/failure.ts';
import { isDiskFull } from '../../shared/base/full-disk.ts';
import { flush } from './directories.ts';
import { encodeFileHeader, fileHeaderBytes } from './pack-format.ts';
import { WaitingBytes } from './waiting-bytes.ts';
import type { WaitingPiece } from './waiting-bytes.ts';

/** So much waits in memory; then it is written, though nobody asked for it, and who brings more waits. */
const mostWaitingBytes = 1024 * 1024;

export class PackFile {
  readonly number: number;
  readonly #handle: FileHandle;
  /** Of the same file: a write through it ends when it is flushed (O_DSYNC), which takes one turn of the thread pool instead of two. */
  readonly #settling: FileHandle;
  /** Where the next bytes that come will lie, how far bytes are written, and how far they are on stable storage. */
  #end = fileHeaderBytes;
  #position = fileHeaderBytes;
  #settled = fileHeaderBytes;
  #failure: Failure | undefined;
  readonly #waiting = new WaitingBytes();
  #writing: Promise<void> = Promise.resolve();
  #nextWrite: Promise<void> | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #nextFlush: Promise<void> | undefined;
  /** A flush waits for the next write. */
  #flushWaits = false;

  private constructor(number: number, handle: FileHandle, settling: FileHandle) {
    this.number = number;
    this.#handle = handle;
    this.#settling = settling;
  }

  /** Makes the file; its name is on stable storage when this resolves. Throws `storage-failure`, `storage-full`: there may be a file then, with no record in it. */
  static async create(path: string, number: number): Promise<PackFile> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, 'wx+', 0o600);
      await handle.write(encodeFileHeader(number), 0, fileHeaderBytes, 0);
      await handle.sync();
      flush(dirname(path));
      return new PackFile(number, handle, await open(path, constants.O_WRONLY | constants.O_DSYNC));
    } catch (error) {
      await handle?.close().catch(ignore);
      throw asFailure(error);
    }
  }

  /** Bytes so far, those that wait included. */
  get size(): number {
    return this.#end;
  }

  /** More waits than may: whoever has given it something waits for `written` before bringing more, or memory would fill as fast as the network is faster than the disk. */
  get isBehind(): boolean {
    return this.#end - this.#position > mostWaitingBytes;
  }

  /** True after a failed write or flush. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Puts a copy of the bytes at the end of the file, where they begin at the `size` of the moment of the call. Answers a ticket for `written` and `settle`. */
  append(bytes: Buffer): number {
    bytes.copy(this.reserve(bytes.length));
    return this.#end;
  }

  /** As `append`, of bytes that are yet to be filled in, in the same turn of the event loop; the ticket is the `size` after it. */
  reserve(length: number): Buffer {
    this.#end += length;
    const room = this.#waiting.reserve(length);
    if (this.isBehind) this.written(this.#end).catch(ignore); // after this turn; who wants them settled hears of a failure
    return room;
  }

  /** Resolves when what `append` gave that ticket for can be read in the file. Throws `storage-failure`, `storage-full`. */
  async written(ticket: number): Promise<void> {
    if (ticket <= this.#position) return;
    this.#nextWrite ??= this.#writeAfterThis();
    await this.#nextWrite;
  }

  async #writeAfterThis(): Promise<void> {
    await this.#writing;
    this.#nextWrite = undefined;
    const pieces = this.#waiting.take();
    const flushed = this.#flushWaits && pieces.length === 1 && this.#position === this.#settled; // several would have a flush each
    const write = this.#writeAll(pieces, flushed ? this.#settling : this.#handle);
    this.#writing = write.catch(ignore); // its own callers hear of a failure
    await write;
  }

  async #writeAll(pieces: readonly WaitingPiece[], handle: FileHandle): Promise<void> {
    for (const { bytes, giveBack } of pieces) {
      if (this.#failure === undefined) await this.#write(bytes, handle);
      giveBack();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Notes a failure, which is for those who wait for it. */
  async #write(bytes: Buffer, handle: FileHandle): Promise<void> {
    try {
      for (let rest = bytes; rest.length > 0; ) {
        const { bytesWritten } = await handle.write(rest, 0, rest.length, this.#position);
        this.#position += bytesWritten;
        rest = rest.subarray(bytesWritten);
        if (handle === this.#settling) this.#settled = this.#position;
      }
    } catch (error) {
      this.#failure = asFailure(error);
    }
  }

  /** Resolves when what `append` gave that ticket for, and all before it, is on stable storage. Throws `storage-failure`, `storage-full`. */
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
    this.#flushWaits = true;
    await this.written(this.#end).finally(() => { this.#flushWaits = false; });
    if (this.#failure !== undefined) throw this.#failure;
    const covered = this.#position;
    if (covered === this.#settled) return;
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
    for (const { giveBack } of this.#waiting.take()) giveBack(); // nobody wanted it settled
    await this.#handle.close();
    await this.#settling.close();
  }
}

function ignore(): void {
  // the one who asked has been told
}

function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return isDiskFull(error)
    ? new Failure('storage-full', 'no space left', { cause: error })
    : new Failure('storage-failure', 'message could not be written', { cause: error });
}
