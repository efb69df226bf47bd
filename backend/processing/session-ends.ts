/** Notes of how clients' sessions ended, while they are being written. */
import type { Logger } from '../../shared/log/log.ts';

export class SessionEnds {
  readonly #log: Logger;
  readonly #writing = new Set<Promise<void>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** A note that can't be written leaves the acceptance open: it reads as loose when this process has ended. */
  add(writing: Promise<void>): void {
    const note = writing.then(() => void this.#writing.delete(note), (error: unknown) => {
      this.#log.warn({ err: error }, 'end of a session could not be noted');
      this.#writing.delete(note);
    });
    this.#writing.add(note);
  }

  /** Resolves when none is being written any more. @param hurry writes those that wait for something to go along with */
  async written(hurry: () => void): Promise<void> {
    while (this.#writing.size > 0) {
      hurry();
      await Promise.all(this.#writing);
    }
  }
}
