/** One record on its way into a pack: whole at once, or piece by piece where it is big. */
import { createHash, hash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { Failure } from '../../shared/base/failure.ts';
import { encodeRecordHeader, encodeRecordTrailer } from './pack-format.ts';
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
    this.#waiting.push(chunk);
    this.#options.onChunk?.(chunk);
  }

  /** Writes what has arrived so far. */
  async writeTo(file: PackFile): Promise<void> {
    this.#hash ??= createHash('sha256');
    for (const chunk of this.#waiting) this.#hash.update(chunk);
    this.#append(file, undefined, this.#waiting);
    await file.written(this.ticket);
  }

  finish(file: PackFile, outcome: 'whole' | 'aborted'): PackPlace {
    const recordStart = this.#start ?? file.size;
    const body = Buffer.concat(this.#waiting);
    this.digest = this.#hash === undefined ? hash('sha256', body, 'buffer') : this.#hash.update(body).digest(); // at once is faster
    this.#append(file, this.length, [body, encodeRecordTrailer({ length: this.length, recordStart, digest: this.digest, outcome })]);
    return { pack: file.number, offset: this.#bodyStart, length: this.length };
  }

  #append(file: PackFile, length: number | undefined, bytes: readonly Buffer[]): void {
    const before: Buffer[] = [];
    if (this.#start === undefined) {
      const header = encodeRecordHeader({ kind: this.#kind, owner: this.#options.owner, writtenAtMs: Date.now(), length });
      this.#start = file.size;
      this.#bodyStart = file.size + header.length;
      before.push(header);
    }
    this.#waiting = [];
    for (const piece of [...before, ...bytes]) this.ticket = file.append(piece);
  }
}
