/**
 * smtp-server's parser made strict: commands, and in place of the package's own messages after DATA, and chunks after BDAT (RFC 3030). What of the package is
 * overridden here is not its public interface: see strict-connection.ts.
 */
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js';
import { DotUnstuffer } from './dot-stuffing.ts';
import type { SmtpLimits } from './limits.ts';
import type { MessageInlet } from './message-inlet.ts';
import { LineScanner } from './strict-lines.ts';
import type { LineDefect } from './strict-lines.ts';

/** Reports a defect in a command line (or a flood of message bytes) to the connection, which closes. */
type OnDefect = (defect: LineDefect | 'message too big') => void;

const nothing = Buffer.alloc(0);
/** CRLF; the scanner lets no other through. */
const lineEndBytes = 2;

/** So many of one client's commands are carried out before the others have their turn. */
const mostCommandsInTurn = 10;

/** Hears that all of a message, or of a chunk, has come, and lets the commands behind it run by calling `goOn`. */
type Ended = (goOn: () => void) => void;

/** The message that is being received, whatever of it comes next. */
interface IncomingMessage {
  readonly inlet: MessageInlet;
  readonly lines: LineScanner;
}

/** What the next bytes are. */
type Mode =
  | { readonly kind: 'commands' }
  /** The message, as far as the final dot. */
  | { readonly kind: 'text'; readonly unstuffer: DotUnstuffer; readonly ended: Ended }
  /** So many octets of it, or to be thrown away where no message is received. */
  | { readonly kind: 'chunk'; left: number; readonly ended: Ended };

/** Lets only whole, clean command lines through, and marks the message that holds a defect. */
export class StrictParser extends SMTPStream {
  /** The client has sent another whole line behind the command that is being carried out. */
  moreIsHere = false;
  readonly #limits: SmtpLimits;
  readonly #onDefect: OnDefect;
  readonly #commands: LineScanner;
  #mode: Mode = { kind: 'commands' };
  #message: IncomingMessage | undefined;
  /** Of a command whose end has not come. At the end of the stream it is none, which the package would run. */
  #begun: Buffer = nothing;
  /** Commands that were carried out in this turn of the event loop. */
  #commandsInTurn = 0;
  /** The last octets of a message in chunks. */
  #tail: Buffer = nothing;

  constructor(limits: SmtpLimits, onDefect: OnDefect) {
    super({ maxCommandLength: limits.maxCommandBytes });
    this.#limits = limits;
    this.#onDefect = onDefect;
    this.#commands = new LineScanner(limits.maxCommandBytes);
  }

  override _write(chunk: Buffer, encoding: BufferEncoding | 'buffer', next: (error?: Error | null) => void): void {
    if (this.isClosed || chunk.length === 0) super._write(chunk, encoding, next);
    else if (this.#mode.kind === 'commands') this.#writeCommand(chunk, next);
    else if (this.#mode.kind === 'text') this.#writeText(this.#mode, chunk, next);
    else this.#writeChunk(this.#mode, chunk, next);
  }

  /** A message begins. */
  beginMessage(inlet: MessageInlet): void {
    this.#message = { inlet, lines: new LineScanner(this.#limits.maxTextLineBytes) };
    this.#tail = nothing;
  }

  /** All that follows is the message that was begun, as far as the final dot (RFC 5321 section 4.1.1.4). */
  takeText(ended: Ended): void {
    this.#mode = { kind: 'text', unstuffer: new DotUnstuffer(), ended };
  }

  /** The next octets are a chunk: of the message that was begun, or to be thrown away where there is none. */
  takeChunk(octets: number, ended: Ended): void {
    this.#mode = { kind: 'chunk', left: octets, ended };
  }

  /**
   * The message in chunks is whole. Its last line is ended where the client did not do so, as DATA would have: a message must be the
   * same whichever way it comes.
   */
  endChunks(): void {
    const inlet = this.#message?.inlet;
    this.#message = undefined;
    if (inlet === undefined) return;
    const end = this.#tail.toString('latin1');
    if (end.endsWith('\r')) inlet.defect ??= 'bare <CR>';
    if (inlet.byteLength > 0 && end !== '\r\n') inlet.push(Buffer.from('\r\n'), () => undefined);
    inlet.end();
  }

  /** The message is given up: whoever reads it hears of an error. */
  abandonMessage(): void {
    this.#message?.inlet.cut('the client gave the message up');
    this.#message = undefined;
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
    if (end === 0) {
      this.#begun = Buffer.concat([this.#begun, line]);
      next();
      return;
    }
    const command = this.#begun.length === 0 ? line : Buffer.concat([this.#begun, line]);
    this.#begun = nothing;
    this.moreIsHere = chunk.includes(0x0a, line.length);
    let isOver = false;
    this.oncommand(command.subarray(0, -lineEndBytes), () => {
      if (isOver) return; // as the package's own parser, which hears it once
      isOver = true;
      if (line.length === chunk.length) next();
      else this.#goOn(command, () => this._write(chunk.subarray(line.length), 'buffer', next));
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

  #writeChunk(chunk: Mode & { readonly kind: 'chunk' }, bytes: Buffer, next: () => void): void {
    const part = bytes.subarray(0, chunk.left);
    const rest = bytes.subarray(part.length);
    chunk.left -= part.length;
    const goOn = (): void => {
      if (rest.length === 0) next();
      else setImmediate(() => this._write(rest, 'buffer', next));
    };
    this.#takeOctets(part, () => {
      if (chunk.left > 0) {
        next();
        return;
      }
      this.#mode = { kind: 'commands' };
      chunk.ended(goOn);
    });
  }

  /** Bytes of a message in chunks, without any escapes. */
  #takeOctets(part: Buffer, done: () => void): void {
    if (this.#message === undefined) {
      done();
      return;
    }
    const { inlet, lines } = this.#message;
    inlet.defect ??= lines.scan(part);
    this.#tail = Buffer.concat([this.#tail, part.subarray(-2)]).subarray(-2);
    inlet.push(part, done);
  }

  #writeText({ unstuffer, ended }: Mode & { readonly kind: 'text' }, bytes: Buffer, next: () => void): void {
    if (this.#message === undefined) return next(); // given up
    const { inlet, lines } = this.#message;
    const { content, rest } = unstuffer.push(bytes);
    inlet.defect ??= lines.scan(rest === undefined ? bytes : bytes.subarray(0, bytes.length - rest.length));
    if (rest === undefined) {
      if (inlet.byteLength + content.length > floodBytes(this.#limits)) this.#onDefect('message too big');
      inlet.push(content, next);
      return;
    }
    this.#mode = { kind: 'commands' };
    this.#message = undefined;
    inlet.push(content, () => undefined); // its end is here, too
    inlet.end();
    ended(() => this._write(rest, 'buffer', next));
  }
}

/** A message that is refused at its end is still read; not without end. */
export function floodBytes({ maxMessageBytes }: SmtpLimits): number {
  return maxMessageBytes * 2 + 1024 * 1024;
}
