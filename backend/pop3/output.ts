/** What goes to the client: answers to commands that came together leave together, in pieces that the client has to take. */
import { onWire } from '../../shared/pop3/texts.ts';
import type { Connection } from '../../shared/net/connection.ts';

/** So much is joined for one write. */
const fullBytes = 64 * 1024;

/** Collects answers. Nothing leaves before `flush`, except what `add` pushes out in front of what it brings. */
export class Output {
  readonly #connection: Connection;
  #pending: Buffer[] = [];
  #length = 0;
  #whenSent: (() => void)[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Adds bytes, one after the other, which nobody changes any more; resolves when there is room for more. */
  async add(...pieces: readonly Buffer[]): Promise<void> {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (this.#length > 0 && this.#length + length > fullBytes) await this.flush();
    this.#pending.push(...pieces);
    this.#length += length;
  }

  /** Adds lines, each with its CRLF. */
  async say(text: string): Promise<void> {
    await this.add(Buffer.from(text));
  }

  /** Calls it when all that was added so far has left; never when the client is gone before. */
  whenSent(act: () => void): void {
    this.#whenSent.push(act);
  }

  /** Sends what is collected; resolves when the client takes more. */
  async flush(): Promise<void> {
    if (this.#length === 0) return;
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
    const [only = Buffer.alloc(0), ...more] = this.#pending;
    const bytes = more.length === 0 ? only : Buffer.concat(this.#pending, this.#length);
    this.#pending = [];
    this.#length = 0;
    return bytes;
  }
}
