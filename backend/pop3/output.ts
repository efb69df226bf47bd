/** What goes to the client: answers to commands that came together leave together, in pieces that the client has to take. */
import { onWire } from '../../shared/pop3/texts.ts';
import type { Connection } from '../../shared/net/connection.ts';
import { lend, lentLength } from '../../shared/net/lent-bytes.ts';
import type { LentBytes } from '../../shared/net/lent-bytes.ts';

/** So much is joined for one write: with one message of usual size more it is still one. */
const fullBytes = lentLength - 8 * 1024;
/** Of UTF-8, for each of JavaScript's characters, at most. */
const bytesOfCharacter = 3;

/** Collects answers, as copies in memory that is used again; nothing leaves before `flush`. */
export class Output {
  readonly #connection: Connection;
  /** What comes before the text. All but the last are full. */
  #rooms: LentBytes[] = [];
  #lastLength = 0;
  #text = '';
  #whenSent: (() => void)[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** True when enough is collected to be worth a write: whoever adds more calls `flush` before. */
  get full(): boolean {
    return this.#rooms.length > 1 || this.#lastLength + this.#text.length >= fullBytes;
  }

  /** Adds bytes, which may change afterwards. */
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
    if (this.#rooms.length === 0 && this.#text === '') return;
    const acts = this.#whenSent;
    this.#whenSent = [];
    await this.#send();
    if (!this.#connection.socket.destroyed) for (const act of acts) act();
  }

  /** Sends what is collected, and that as the last words. */
  end(text: string): void {
    this.flush().catch(() => undefined); // a client that does not take it hears nothing more
    this.#connection.end(onWire(text));
  }

  async #send(): Promise<void> {
    if (this.#rooms.length === 0) {
      const text = this.#text;
      this.#text = '';
      return this.#connection.write(Buffer.from(text));
    }
    this.#keepText();
    const rooms = this.#rooms;
    const lastLength = this.#lastLength;
    this.#rooms = [];
    this.#lastLength = 0;
    // All of them at once: last words may follow before the client has taken the first.
    const writes = rooms.map(async ({ bytes, giveBack }, index) => this.#connection.write(index === rooms.length - 1 ? bytes.subarray(0, lastLength) : bytes, giveBack));
    await Promise.all(writes);
  }

  #keepText(): void {
    const text = this.#text;
    if (text === '') return;
    this.#text = '';
    const last = this.#rooms.at(-1);
    if (last === undefined || text.length * bytesOfCharacter > lentLength - this.#lastLength) this.#keep(Buffer.from(text));
    else this.#lastLength += last.bytes.write(text, this.#lastLength);
  }

  #keep(bytes: Buffer): void {
    for (let from = 0; from < bytes.length;) {
      let last = this.#rooms.at(-1);
      if (last === undefined || this.#lastLength === lentLength) {
        last = lend();
        this.#rooms.push(last);
        this.#lastLength = 0;
      }
      const copied = bytes.copy(last.bytes, this.#lastLength, from);
      this.#lastLength += copied;
      from += copied;
    }
  }
}
