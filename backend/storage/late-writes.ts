/** What is to be written some time: it goes along with the next write of this process, or by itself after a while. */

/** Milliseconds until what nothing came for to go along with is written by itself: a commit of its own has two flushes, and one message after the other would pay them with each. What waits is lost when the process is killed. */
const alongMs = 1000;

export class LateWrites {
  #waiting: (() => void)[] = [];
  #departure: NodeJS.Timeout | undefined;

  /** @param begin queues the write up */
  add(begin: () => void): void {
    this.#waiting.push(begin);
    this.#departure ??= setTimeout(() => this.hurry(), alongMs);
  }

  /** Begins all that waits, in this turn of the event loop. */
  hurry(): void {
    clearTimeout(this.#departure);
    this.#departure = undefined;
    for (const begin of this.#waiting.splice(0)) begin();
  }
}
