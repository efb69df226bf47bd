/** Divides long work into pieces, so that everybody else of this process gets a turn in between. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long a piece lasts: what others wait for at most, on an idle machine. */
const pieceMs = 10;

export class Pacer {
  #sinceMs = performance.now();

  /** Ask after each small step. */
  get isDue(): boolean {
    return performance.now() - this.#sinceMs >= pieceMs;
  }

  /** Lets the others do what has come for them. */
  async breathe(): Promise<void> {
    await nextTurn();
    this.#sinceMs = performance.now();
  }
}
