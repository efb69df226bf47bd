/** The lines of a connection, of which the next may be waited for before anybody wants it: so it is known when the other side says something unasked. */
import type { Connection } from '../../shared/net/connection.ts';
import type { SessionSlot } from '../../shared/workers/command-slots.ts';

interface Ahead {
  readonly line: Promise<string | undefined>;
  state: 'awaited' | 'there';
}

export class LineAhead {
  readonly #connection: Connection;
  readonly #slot: SessionSlot;
  #ahead: Ahead | undefined;

  constructor(connection: Connection, slot: SessionSlot) {
    this.#connection = connection;
    this.#slot = slot;
  }

  /** True when there is something to take: a line, or the end. */
  get isThere(): boolean {
    return this.#ahead?.state === 'there' || this.#connection.hasLine;
  }

  /** Calls `heard` once there is. */
  listen(heard: () => void): void {
    if (this.#ahead !== undefined) return;
    const ahead: Ahead = { line: this.#connection.readLineAhead(), state: 'awaited' };
    const there = (): void => {
      ahead.state = 'there';
      heard();
    };
    ahead.line.then(there, there);
    this.#ahead = ahead;
  }

  /** The next line, as the connection gives it. */
  async take(): Promise<string | undefined> {
    const ahead = this.#ahead?.line;
    this.#ahead = undefined;
    return ahead === undefined ? this.#connection.readLine() : this.#slot.without(async () => ahead);
  }
}
