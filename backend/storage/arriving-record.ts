/** One record on its way into a pack: whole at once, or piece by piece where it is big. */
import { createHash, hash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { Failure } from '../../shared/base/failure.ts';
import { addJoined } from '../../shared/base/joined.ts';
import { encodeRecordHeader, encodeRecordTrailer, trailerBytes } from './pack-format.ts';
import type { PackFile } from './pack-file.ts';
import type { PackPlace, StageOptions } from './packs.ts';

export class ArrivingRecord {
  readonly #options: StageOptions;
  readonly #kind: 'message' | 'note';
  /** Of what was written before the record was whole. */
  #hash: Hash | undefined;
  #waiting: Buffer[] = [];
  #start: number | undefined;
  #bodyStart = 0;
  length = 0;
  ticket = 0;
  /** SHA-256; once it is finished. */
  digest: Buffer = Buffer.alloc(0);

  constructor(options: StageOptions, kind: 'message' | 'note' = 'message') {
    this.#options = options;
    this.#kind = kind;
  }

  /** True when it has begun to be written before it was whole. */
  get streamed(): boolean {
    return this.#hash !== undefined;
  }

  take(chunk: Buffer): void {
    if (this.length + chunk.length > this.#options.maxBytes) throw new Failure('message-too-big', `message exceeds ${this.#options.maxBytes} bytes`);
    this.length += chunk.length;
    addJoined(this.#waiting, chunk);
    this.#options.onChunk?.(chunk);
  }

  takeAll(chunks: readonly Buffer[]): void {
    for (const chunk of chunks) this.take(chunk);
  }

  /** Writes what has arrived so far. */
  async writeTo(file: PackFile): Promise<void> {
    this.#hash ??= createHash('sha256');
    this.#bringWaiting(file, this.#hash);
    await file.written(this.ticket);
  }

  finish(file: PackFile, outcome: 'whole' | 'aborted'): PackPlace {
    if (this.#hash === undefined) this.#putWhole(file, outcome);
    else {
      this.#bringWaiting(file, this.#hash);
      this.digest = this.#hash.digest();
      this.ticket = file.append(this.#trailer(outcome));
    }
    return { pack: file.number, offset: this.#bodyStart, length: this.length };
  }

  /** All of it is put together where it waits to be written: no other copy is made of it. */
  #putWhole(file: PackFile, outcome: 'whole' | 'aborted'): void {
    const header = this.#begin(file, this.length);
    const record = file.reserve(header.length + this.length + trailerBytes);
    let at = header.copy(record);
    for (const chunk of this.#waiting) at += chunk.copy(record, at);
    this.#waiting = [];
    this.digest = hash('sha256', record.subarray(header.length, at), 'buffer'); // at once is faster
    this.#trailer(outcome).copy(record, at);
    this.ticket = file.size;
  }

  #bringWaiting(file: PackFile, hashed: Hash): void {
    if (this.#start === undefined) this.ticket = file.append(this.#begin(file, undefined));
    for (const chunk of this.#waiting) {
      hashed.update(chunk);
      this.ticket = file.append(chunk);
    }
    this.#waiting = [];
  }

  /** The record begins at the end of the file. Answers its header. */
  #begin(file: PackFile, length: number | undefined): Buffer {
    const header = encodeRecordHeader({ kind: this.#kind, owner: this.#options.owner, writtenAtMs: Date.now(), length });
    this.#start = file.size;
    this.#bodyStart = file.size + header.length;
    return header;
  }

  #trailer(outcome: 'whole' | 'aborted'): Buffer {
    return encodeRecordTrailer({ length: this.length, recordStart: this.#start ?? 0, digest: this.digest, outcome });
  }
}
