/**
 * How long refusals take: as long as the slowest checks lately, so that the time doesn't tell whether there was a password to
 * check, with a slow hash, at a slow directory or at a back-end. Single slow answers are forgotten after some logins.
 */

/** A directory that takes longer is in trouble; that must not make everybody who mistypes wait for it. */
const longestMs = 2000;
/** How much of it is kept with each check that was faster. */
const memory = 0.9;

export class RefusalPace {
  readonly #leastMs: number;
  #slowestMs = 0;

  constructor(leastMs: number) {
    this.#leastMs = leastMs;
  }

  /** From the attempt to its refusal. */
  get leastMs(): number {
    return Math.max(this.#leastMs, this.#slowestMs);
  }

  /** A check of somebody's password. */
  took(ms: number): void {
    this.#slowestMs = Math.min(longestMs, Math.max(ms, this.#slowestMs * memory));
  }
}
