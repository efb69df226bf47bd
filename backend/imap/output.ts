/** What goes to the client: small responses are joined into one write, big ones wait until the client takes them. */
import type { Connection } from '../../shared/net/connection.ts';

/** Above this many bytes the joined responses should be sent. */
const fullBytes = 32 * 1024;
/** Smaller pieces of messages are joined with the text around them. */
const smallBytes = 8 * 1024;

/** Collects responses. Nothing leaves before `flush`, except what `bytes` pushes out in front of itself. */
export class Output {
  readonly #connection: Connection;
  #pending = '';
  #ended = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** True when enough is collected to be worth a write: call `flush` then. */
  get full(): boolean {
    return this.#pending.length >= fullBytes;
  }

  /** Adds text as latin1: one character is one byte. */
  add(text: string): void {
    this.#pending += text;
  }

  /** Adds one response line. */
  line(text: string): void {
    this.#pending += `${text}\r\n`;
  }

  /** Adds bytes; resolves when there is room for more. */
  async bytes(bytes: Buffer): Promise<void> {
    if (bytes.length <= smallBytes) {
      this.#pending += bytes.toString('latin1');
      if (this.full) await this.flush();
      return;
    }
    const before = this.take();
    // Not awaited in between: the order of writes is the order of calls.
    const sent = before === '' ? Promise.resolve() : this.#connection.write(before);
    await Promise.all([sent, this.#connection.write(bytes)]);
  }

  /** Sends what is collected; resolves when the client takes more. */
  async flush(): Promise<void> {
    const text = this.take();
    if (text !== '') await this.#connection.write(text);
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
    const text = this.#pending;
    this.#pending = '';
    return text;
  }
}
