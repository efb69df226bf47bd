/**
 * Memory for values that one action of a transaction takes up, and that nobody needs after it. It is used again by the next action: a buffer for
 * each block of rows that is changed, 160 for a change of 10,000 messages, has V8 mark its whole heap again and again.
 */

/** Bytes that are held at rest: 290 full blocks of rows. */
const mostAtRest = 1024 * 1024;
const leastBytes = 64 * 1024;

export class ActionMemory {
  #memory = Buffer.alloc(0);
  #used = 0;
  #action: 'runs' | 'none' = 'none';

  /** Runs an action; what was copied for the one before is given up. Not one within another. */
  during<T>(action: () => T): T {
    this.#used = 0;
    if (this.#memory.length > mostAtRest) this.#memory = Buffer.alloc(0);
    this.#action = 'runs';
    try {
      return action();
    } finally {
      this.#action = 'none';
    }
  }

  /** A copy of the first `length` bytes, which is good until the action ends; for good where none runs. */
  copy(bytes: Buffer, length: number): Buffer {
    const place = this.#action === 'runs' ? this.#take(length) : Buffer.allocUnsafeSlow(length);
    bytes.copy(place, 0, 0, length);
    return place;
  }

  #take(length: number): Buffer {
    if (this.#used + length > this.#memory.length) {
      this.#memory = Buffer.allocUnsafeSlow(Math.max(length, leastBytes, 2 * this.#memory.length)); // what is in use of the old one stays as it is
      this.#used = 0;
    }
    const from = this.#used;
    this.#used += (length + 7) & ~7;
    return this.#memory.subarray(from, from + length);
  }
}
