/**
 * smtp-server's parser made strict: commands, messages after DATA, and chunks after BDAT (RFC 3030). What of the package is
 * overridden here is not its public interface: see strict-connection.ts.
 */
import type { SMTPServerDataStream } from 'smtp-server';
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js';
import { drained } from '../net/drained.ts';
import { DotUnstuffer } from './dot-stuffing.ts';
import type { SmtpLimits } from './limits.ts';
import { LineScanner } from './strict-lines.ts';
import type { LineDefect } from './strict-lines.ts';

/** Reports a defect in a command line (or a flood of message bytes) to the connection, which closes. */
type OnDefect = (defect: LineDefect | 'message too big') => void;

/** So many of one client's commands are carried out before the others have their turn. */
const mostCommandsInTurn = 10;

interface ChunkUnderWay {
  /** Octets that are still to come. */
  left: number;
  readonly ended: (goOn: () => void) => void;
}

/** Lets only whole, clean command lines through, and marks the message that holds a defect. */
export class StrictParser extends SMTPStream {
  /** The client has sent another whole line behind the command that is being carried out. */
  moreIsHere = false;
  /** What is wrong with the message being received, or the last one received. */
  messageDefect: LineDefect | undefined;
  readonly #limits: SmtpLimits;
  readonly #onDefect: OnDefect;
  readonly #commands: LineScanner;
  #message: LineScanner;
  #unstuffer = new DotUnstuffer();
  /** The chunk being received. */
  #chunk: ChunkUnderWay | undefined;
  /** Commands that were carried out in this turn of the event loop. */
  #commandsInTurn = 0;
  /** The last octets of a message in chunks. */
  #tail: Buffer = Buffer.alloc(0);

  constructor(limits: SmtpLimits, onDefect: OnDefect) {
    super({ maxCommandLength: limits.maxCommandBytes });
    this.#limits = limits;
    this.#onDefect = onDefect;
    this.#commands = new LineScanner(limits.maxCommandBytes);
    this.#message = new LineScanner(limits.maxTextLineBytes);
  }

  override startDataMode(maxBytes?: number | string | null): ReturnType<SMTPStream['startDataMode']> {
    this.messageDefect = undefined;
    this.#message = new LineScanner(this.#limits.maxTextLineBytes);
    this.#unstuffer = new DotUnstuffer();
    return super.startDataMode(maxBytes);
  }

  override _write(chunk: Buffer, encoding: BufferEncoding | 'buffer', next: (error?: Error | null) => void): void {
    if (this.isClosed || chunk.length === 0) super._write(chunk, encoding, next);
    else if (this.#chunk !== undefined) this.#writeChunk(this.#chunk, chunk, next);
    else if (this._dataMode) this._feedDataStream(chunk, next);
    else this.#writeCommand(chunk, next);
  }

  /** A message begins that comes in chunks; its bytes go to the stream that is answered. */
  startChunks(maxBytes: number): SMTPServerDataStream {
    const stream = this.startDataMode(maxBytes);
    this._dataMode = false;
    this.#tail = Buffer.alloc(0);
    stream.on('error', () => undefined); // nobody may be reading when it is given up
    return stream;
  }

  /**
   * The next octets are a chunk: of the message that was begun, or to be thrown away where there is none. `ended` hears when
   * all of them are here, and lets the commands behind them run by calling `goOn`.
   */
  takeChunk(octets: number, ended: (goOn: () => void) => void): void {
    this.#chunk = { left: octets, ended };
  }

  /**
   * The message is whole. Its last line is ended where the client did not do so, as DATA would have: a message must be the
   * same whichever way it comes.
   */
  endChunks(): void {
    const stream = this._dataStream;
    this._dataStream = null;
    if (stream === null) return;
    const end = this.#tail.toString('latin1');
    if (end.endsWith('\r')) this.messageDefect ??= 'bare <CR>';
    if (stream.writable) stream.end(this.dataBytes === 0 || end === '\r\n' ? '' : '\r\n');
  }

  /** The message is given up: whoever reads it hears of an error. */
  abandonChunks(): void {
    const stream = this._dataStream;
    this._dataStream = null;
    stream?.destroy(new Error('the client gave the message up'));
  }

  /** An unfinished command at the end of the stream is no command (the package would run it). */
  override _flushData(): void {
    this._remainder = '';
  }

  /** Hands over one command at a time, so that the mode is always known: bytes after DATA's line are another matter. */
  #writeCommand(chunk: Buffer, next: (error?: Error | null) => void): void {
    const end = chunk.indexOf(0x0a) + 1;
    const line = end === 0 ? chunk : chunk.subarray(0, end);
    const defect = this.#commands.scan(line);
    if (defect !== undefined) {
      this.#onDefect(defect);
      next();
      return;
    }
    this.moreIsHere = chunk.includes(0x0a, line.length);
    super._write(line, 'buffer', (error) => {
      if (error instanceof Error || line.length === chunk.length) next(error);
      else this.#goOn(line, () => this._write(chunk.subarray(line.length), 'buffer', next));
    });
  }

  /** Goes on with what is here behind that command; after some commands others have their turn, and after BDAT who hears of its message. */
  #goOn(after: Buffer, work: () => void): void {
    this.#commandsInTurn += 1;
    if (this.#commandsInTurn < mostCommandsInTurn && after.toString('latin1', 0, 4).toUpperCase() !== 'BDAT') {
      if (this.#commandsInTurn === 1) setImmediate(() => { this.#commandsInTurn = 0; });
      work();
    } else setImmediate(work);
  }

  #writeChunk(chunk: ChunkUnderWay, bytes: Buffer, next: (error?: Error | null) => void): void {
    const part = bytes.subarray(0, chunk.left);
    const rest = bytes.subarray(part.length);
    chunk.left -= part.length;
    const goOn = (): void => {
      if (rest.length === 0) next();
      else setImmediate(() => this._write(rest, 'buffer', next));
    };
    this.#takeContent(part, () => {
      if (chunk.left > 0) {
        next();
        return;
      }
      this.#chunk = undefined;
      chunk.ended(goOn);
    });
  }

  /** Bytes of a message in chunks, without any escapes. */
  #takeContent(part: Buffer, done: () => void): void {
    const stream = this._dataStream;
    if (stream === null) {
      done();
      return;
    }
    this.messageDefect ??= this.#message.scan(part);
    this._countDataBytes(part.length);
    this.#tail = Buffer.concat([this.#tail, part.subarray(-2)]).subarray(-2);
    this.#pass(stream, part, done);
  }

  /** In the place of the package's own, which takes a turn of the event loop for each line that begins with a dot. */
  override _feedDataStream(chunk: Buffer, done: (error?: Error | null) => void): void {
    const { content, rest } = this.#unstuffer.push(chunk);
    this.messageDefect ??= this.#message.scan(rest === undefined ? chunk : chunk.subarray(0, chunk.length - rest.length));
    this._countDataBytes(content.length);
    if (rest !== undefined) {
      this._endDataMode(content, rest, done);
      return;
    }
    if (this.dataBytes > floodBytes(this.#limits)) this.#onDefect('message too big');
    this.#pass(this._dataStream, content, done);
  }

  /** Waits while the reader is busy; what nobody reads any more is let go. */
  #pass(stream: SMTPServerDataStream | null, content: Buffer, done: () => void): void {
    if (stream === null || !stream.writable || content.length === 0 || stream.write(content) || stream.destroyed) done();
    else void drained(stream).then(done);
  }
}

/** A message that is refused at its end is still read; not without end. */
export function floodBytes({ maxMessageBytes }: SmtpLimits): number {
  return maxMessageBytes * 2 + 1024 * 1024;
}
