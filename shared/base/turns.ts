/** A bound on how much of something goes on at the same time; who comes later waits, in order. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  /** @param most at the same time */
  constructor(most: number) {
    this.#free = most;
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve)); // the turn is handed over
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
