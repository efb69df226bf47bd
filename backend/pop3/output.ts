/** What goes to the client: answers to commands that came together leave together, in pieces that the client has to take. */
import { onWire } from '../../shared/pop3/texts.ts';
import type { Connection } from '../../shared/net/connection.ts';

/** So much is joined for one write. */
const fullBytes = 64 * 1024;

/** Collects answers; nothing leaves before `flush`. */
export class Output {
  readonly #connection: Connection;
  /** What comes before the text. */
  #pieces: Buffer[] = [];
  #piecesLength = 0;
  #text = '';
  #whenSent: (() => void)[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** True when enough is collected to be worth a write: whoever adds more calls `flush` before. */
  get full(): boolean {
    return this.#piecesLength + this.#text.length >= fullBytes;
  }

  /** Adds bytes, which nobody changes any more. */
  add(bytes: Buffer): void {
    this.#keepText();
    this.#keep(bytes);
  }

  /** Adds lines, each with its CRLF. */
  say(text: string): void {
    this.#text += text;
  }

  /** Calls it when all that was added so far has left; never when the client is gone before. */
  whenSent(act: () => void): void {
    this.#whenSent.push(act);
  }

  /** Sends what is collected; resolves when the client takes more. */
  async flush(): Promise<void> {
    if (this.#piecesLength === 0 && this.#text === '') return;
    const acts = this.#whenSent;
    this.#whenSent = [];
    await this.#connection.write(this.#take());
    if (!this.#connection.socket.destroyed) for (const act of acts) act();
  }

  /** Sends what is collected, and that as the last words. */
  end(text: string): void {
    this.flush().catch(() => undefined); // a client that does not take it hears nothing more
    this.#connection.end(onWire(text));
  }

  #take(): Buffer {
    this.#keepText();
    const [only = Buffer.alloc(0)] = this.#pieces;
    const bytes = this.#pieces.length === 1 ? only : Buffer.concat(this.#pieces, this.#piecesLength);
    this.#pieces = [];
    this.#piecesLength = 0;
    return bytes;
  }

  #keepText(): void {
    if (this.#text !== '') this.#keep(Buffer.from(this.#text));
    this.#text = '';
  }

  #keep(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#piecesLength += bytes.length;
  }
}
