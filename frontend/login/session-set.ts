/** The open sessions of one proxy service, so that it can drain: each says goodbye when it can, what is left is cut. */

/** How a session ends before its client wants it to. */
export interface OpenSession {
  /** Before login: says goodbye and closes. Afterwards the stream is the back-end's: the session goes on until the grace is over. */
  farewell(): void;
  /** Cuts both sides. */
  cut(): void;
}

export class SessionSet {
  readonly #open = new Set<OpenSession>();
  #whenEmpty: (() => void) | undefined;

  get size(): number {
    return this.#open.size;
  }

  add(session: OpenSession): void {
    this.#open.add(session);
  }

  remove(session: OpenSession): void {
    this.#open.delete(session);
    if (this.#open.size === 0) this.#whenEmpty?.();
  }

  /** Resolves when all sessions are gone, at the latest a moment after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    for (const session of [...this.#open]) session.farewell();
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        for (const session of [...this.#open]) session.cut();
        resolve();
      }, graceMs);
      this.#whenEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
