/**
 * DEFLATE in both directions of a connection (RFC 4978), between its bytes and its socket, in bounded memory: what a peer's few bytes
 * unfold to is read only as fast as it is used, and what compresses for us is there only while there is something to say.
 */
import { Writable } from 'node:stream';
import type { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import type { AnySocket } from './connection.ts';
import { drained } from './drained.ts';

/** Most bytes that wait in front of zlib, or behind it. */
const highWaterMark = 16 * 1024;
/** zlib hands its output over in buffers of this size, and holds one for each direction. */
const chunkSize = 4 * 1024;

/** A peer may look 32 kB back (RFC 1951 section 2), so the window is of that size. A stream that breaks off is the end of the input, no error. */
const inflating: zlib.ZlibOptions & { readonly highWaterMark: number } = { chunkSize, highWaterMark, finishFlush: zlib.constants.Z_SYNC_FLUSH };
/** What is written can be read by the peer at once. Window, memory and level are chosen by measurement: see docs/decisions/front-ends.md, "COMPRESS". */
const deflating: zlib.ZlibOptions = { chunkSize, windowBits: 14, memLevel: 7, level: 3, flush: zlib.constants.Z_SYNC_FLUSH };
/** After so long without a word, what compresses is given up. */
const usualRestMs = 5000;

export interface Compression {
  /** What the peer says, unfolded. It ends when the peer ends its stream or the socket's. */
  readonly source: Readable;
  /** What we say: its end becomes the socket's. */
  readonly sink: Writable;
}

/** @param before what was received already and belongs to the compressed stream. */
export function compress(socket: AnySocket, before: Buffer, restMs: number = usualRestMs): Compression {
  const source = zlib.createInflateRaw(inflating);
  if (before.length > 0) source.write(before);
  socket.pipe(source);
  return { source, sink: new DeflateSink(socket, restMs) };
}

/**
 * Takes the next bytes when those before are with the socket. After a rest another compressor goes on where the one before has stopped: each
 * of them ends at the boundary of a byte and looks back at nothing but its own, so the peer sees one stream.
 */
class DeflateSink extends Writable {
  readonly #socket: AnySocket;
  #deflater: zlib.DeflateRaw | undefined;
  readonly #restMs: number;
  #rest: NodeJS.Timeout | undefined;
  #state: 'at rest' | 'writing' = 'at rest';

  constructor(socket: AnySocket, restMs: number) {
    super({ highWaterMark });
    this.#socket = socket;
    this.#restMs = restMs;
  }

  override _write(bytes: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#state = 'writing';
    this.#open().write(bytes, () => {
      this.#state = 'at rest';
      this.#restLater();
      if (this.#socket.writableNeedDrain) drained(this.#socket).then(() => done(), done);
      else done();
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#state = 'writing';
    const deflater = this.#open();
    deflater.once('end', () => {
      this.#socket.end();
      done();
    });
    deflater.end();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#giveUp();
    done(error);
  }

  #open(): zlib.DeflateRaw {
    if (this.#deflater !== undefined) return this.#deflater;
    const deflater = zlib.createDeflateRaw(deflating);
    deflater.on('data', (bytes: Buffer) => this.#socket.write(bytes));
    deflater.on('error', (error) => this.destroy(error));
    this.#deflater = deflater;
    return deflater;
  }

  #restLater(): void {
    if (this.#rest !== undefined) this.#rest.refresh();
    else if (this.#deflater !== undefined) {
      this.#rest = setTimeout(() => {
        if (this.#state === 'at rest') this.#giveUp();
      }, this.#restMs).unref();
    }
  }

  #giveUp(): void {
    clearTimeout(this.#rest);
    this.#rest = undefined;
    this.#deflater?.destroy();
    this.#deflater = undefined;
  }
}
