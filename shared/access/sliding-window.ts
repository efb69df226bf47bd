/**
 * Counts events in a sliding window with two buckets (pure: the time is given). What happened in the bucket before counts
 * with the part of it that the window still covers, so nobody gets twice the limit around a boundary, as with fixed windows,
 * and no list of times is kept. Buckets begin at whole multiples of the interval: counts of several workers can be added up.
 */
export class SlidingWindow {
  readonly #intervalMs: number;
  #bucket = 0;
  #current = 0;
  #previous = 0;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** @param by -1 takes back what was just counted */
  add(nowMs: number, by: 1 | -1): void {
    this.#turn(nowMs);
    this.#current = Math.max(0, this.#current + by);
  }

  /** Events in the last interval, as if those of the bucket before had come evenly. */
  count(nowMs: number): number {
    this.#turn(nowMs);
    const passed = nowMs / this.#intervalMs - this.#bucket;
    return this.#current + this.#previous * (1 - passed);
  }

  isEmpty(nowMs: number): boolean {
    this.#turn(nowMs);
    return this.#current === 0 && this.#previous === 0;
  }

  #turn(nowMs: number): void {
    const bucket = Math.floor(nowMs / this.#intervalMs);
    if (bucket === this.#bucket) return;
    this.#previous = bucket === this.#bucket + 1 ? this.#current : 0;
    this.#current = 0;
    this.#bucket = bucket;
  }
}
