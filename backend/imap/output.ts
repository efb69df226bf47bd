/** What goes to the client: small responses are joined into one write, big ones wait until the client takes them. */
import type { Connection } from '../../shared/net/connection.ts';

/** Above this many bytes the joined responses should be sent. */
const fullBytes = 64 * 1024;
/** Smaller pieces of messages are joined with the text around them. */
const smallBytes = 32 * 1024;
const nothingToSend = Promise.resolve();

/** Collects responses. Nothing leaves before `flush`, except what `bytes` pushes out in front of itself. */
export class Output {
  readonly #connection: Connection;
  /** What comes before the text. */
  #pieces: Buffer[] = [];
  #piecesLength = 0;
  #text = '';
  #ended = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** True when enough is collected to be worth a write: call `flush` then. */
  get full(): boolean {
    return this.#piecesLength + this.#text.length >= fullBytes;
  }

  /** Adds text as latin1: one character is one byte. */
  add(text: string): void {
    this.#text += text;
  }

  /** Adds one response line. */
  line(text: string): void {
    this.#text += `${text}\r\n`;
  }

  /** Adds bytes, which nobody changes any more; resolves when there is room for more. */
  async bytes(bytes: Buffer): Promise<void> {
    if (bytes.length <= smallBytes) {
      this.#keepText();
      this.#keep(bytes);
      if (this.full) await this.flush();
      return;
    }
    // Not awaited in between: the order of writes is the order of calls.
    await Promise.all([this.flush(), this.#connection.write(bytes)]);
  }

  /** Sends what is collected; resolves when the client takes more. */
  flush(): Promise<void> {
    if (this.#piecesLength > 0) return this.#connection.write(this.#takeBytes());
    return this.#text === '' ? nothingToSend : this.#connection.write(this.take());
  }

  /** Sends what is collected as the last words. */
  end(): void {
    const lastWords = this.take();
    if (this.#ended) return;
    this.#ended = true;
    this.#connection.end(lastWords);
  }

  /** What is collected, for somebody else to send. */
  take(): string {
    if (this.#piecesLength > 0) return this.#takeBytes().toString('latin1');
    const text = this.#text;
    this.#text = '';
    return text;
  }

  #takeBytes(): Buffer {
    this.#keepText();
    const bytes = Buffer.concat(this.#pieces, this.#piecesLength);
    this.#pieces = [];
    this.#piecesLength = 0;
    return bytes;
  }

  #keepText(): void {
    if (this.#text !== '') this.#keep(Buffer.from(this.#text, 'latin1'));
    this.#text = '';
  }

  #keep(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#piecesLength += bytes.length;
  }
}
