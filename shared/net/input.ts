/** What a connection receives, read as lines, counted bytes or pieces. The stream that it comes from is held back while much is unread. */
import type { Readable } from 'node:stream';
import { Failure } from '../base/failure.ts';
import type { Tap } from '../log/wire-lines.ts';
import { ReceivedBytes } from './received-bytes.ts';

/** Received and not yet read: above this the stream is paused. */
const highWaterBytes = 256 * 1024;
/** What a stream bears while it is read from, so that all of them share the same handlers. */
const reader = Symbol('reader');
type ReadStream = Readable & { [reader]: Input };

export interface InputOptions {
  /** A longer line is an error, and nothing more can be read. */
  readonly maxLineBytes: number;
  /** Runs what waits for the peer. */
  readonly whileWaiting: (wait: () => Promise<void>) => Promise<void>;
}

export class Input {
  readonly #options: InputOptions;
  readonly #pending = new ReceivedBytes();
  #source: Readable | undefined;
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  #tap: Tap | undefined;

  constructor(options: InputOptions) {
    this.#options = options;
  }

  /** True when nothing more comes; what has come may still be there. */
  get ended(): boolean {
    return this.#ended || this.#failure !== undefined;
  }

  get hasLine(): boolean {
    return this.#pending.hasLine;
  }

  /** Received and not yet read, bytes. */
  get length(): number {
    return this.#pending.length;
  }

  /** True while somebody waits for more. */
  get awaited(): boolean {
    return this.#wake !== undefined;
  }

  /** From now on, with what is received already, everything is shown to the tap as well. */
  watch(tap: Tap | undefined): void {
    this.#tap = tap;
    if (this.#pending.length > 0) tap?.received(this.#pending.all);
  }

  /** Whatever is received and not read. */
  take(): Buffer {
    return this.#pending.take();
  }

  from(source: Readable): void {
    this.#source = source;
    (source as ReadStream)[reader] = this;
    source.on('data', Input.#onData);
    source.on('end', Input.#onEnd);
  }

  /** Reads from it no more; it stays as it is. */
  letGo(): void {
    this.#source?.off('data', Input.#onData);
    this.#source?.off('end', Input.#onEnd);
  }

  /** Nothing more comes. A `Failure` is thrown to who reads, anything else is an end; the first one counts. */
  end(failure?: Error): void {
    if (failure === undefined) this.#ended = true;
    else this.#failure ??= failure;
    this.#wakeReader();
  }

  /**
   * The next line as latin1 text, without its CRLF (or lone LF); undefined at the end of the stream (an unfinished
   * line is dropped). Fails with `bad-input` for an overlong line.
   * @param whileWaiting runs what waits for the peer
   */
  async readLine(whileWaiting = this.#options.whileWaiting): Promise<string | undefined> {
    for (;;) {
      const line = this.takeLine();
      if (line !== undefined) return line;
      if (!(await this.#more(whileWaiting))) return undefined;
    }
  }

  /** The same where all of the line is here; undefined where it is not. */
  takeLine(): string | undefined {
    const { maxLineBytes } = this.#options;
    const read = this.#pending.takeLine(maxLineBytes);
    if (read.kind === 'too-long') throw (this.#failure = new Failure('bad-input', `line too long: at most ${String(maxLineBytes)} bytes`));
    if (read.kind !== 'line') return undefined;
    this.#goOn();
    return read.text;
  }

  /** Exactly `length` bytes; fails with `bad-input` when the stream ends before. For small counts: it holds them all. */
  async readBytes(length: number): Promise<Buffer> {
    while (this.#pending.length < length) {
      if (!(await this.#more())) throw new Failure('bad-input', 'connection closed in the middle of data');
    }
    const bytes = this.#pending.take(length);
    this.#goOn();
    return bytes;
  }

  /** The same in the pieces in which they came, where all of them are here; undefined where they are not. */
  takePieces(length: number): readonly Buffer[] | undefined {
    if (this.#pending.length < length) return undefined;
    const pieces: Buffer[] = [];
    for (let left = length; left > 0; left -= pieces.at(-1)?.length ?? 0) pieces.push(this.#pending.takePiece(left));
    this.#goOn();
    return pieces;
  }

  /** `length` bytes in pieces as they come. Must be read to its end before the next read; fails as readBytes does. */
  async *readStream(length: number): AsyncGenerator<Buffer, void, void> {
    let left = length;
    while (left > 0) {
      if (this.#pending.length === 0 && !(await this.#more())) {
        throw new Failure('bad-input', 'connection closed in the middle of data');
      }
      const piece = this.#pending.takePiece(left);
      this.#goOn();
      left -= piece.length;
      yield piece;
    }
  }

  static #onData(this: ReadStream, chunk: Buffer): void {
    const input = this[reader];
    input.#tap?.received(chunk);
    input.#pending.add(chunk);
    if (input.#pending.length > highWaterBytes) this.pause();
    input.#wakeReader();
  }

  static #onEnd(this: ReadStream): void {
    this[reader].end();
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Something was read, so there is room for more. */
  #goOn(): void {
    if (this.#source?.isPaused() === true && this.#pending.length < highWaterBytes) this.#source.resume();
  }

  /** Waits for more input; false at the end of the stream. A reset by the peer is an end; our own failures are thrown. */
  async #more(whileWaiting = this.#options.whileWaiting): Promise<boolean> {
    const before = this.#pending.length;
    while (this.#pending.length === before) {
      if (this.#failure instanceof Failure) throw this.#failure;
      if (this.ended) return false;
      if (this.#source?.isPaused() === true) this.#source.resume(); // who waits needs more than the high-water mark
      await whileWaiting(() => new Promise<void>((resolve) => {
        this.#wake = resolve;
      }));
    }
    return true;
  }
}
