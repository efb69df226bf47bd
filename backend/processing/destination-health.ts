/** What the queue runner remembers of destinations that failed: when to ask again, one connection at a time until one works. */
import { delayAfter } from './retry-schedule.ts';
import type { DoublingDelay } from './retry-schedule.ts';

interface Trouble {
  failures: number;
  blockedUntilMs: number;
}

/** New mail asks a destination that may have recovered sooner than old mail's schedule does: with eight hours, after half an hour. */
const blockShare = 1 / 16;
const maxRemembered = 10_000;

export class DestinationHealth {
  readonly #trouble = new Map<string, Trouble>();
  readonly #jitter: number;

  constructor(jitter: number) {
    this.#jitter = jitter;
  }

  /** May be asked now. */
  isOpen(destination: string, nowMs: number): boolean {
    const trouble = this.#trouble.get(destination);
    return trouble === undefined || nowMs >= trouble.blockedUntilMs;
  }

  /** Has failed, and nothing has gone through since. */
  isInTrouble(destination: string): boolean {
    return this.#trouble.has(destination);
  }

  /** Answers until when it is left alone. */
  noteFailure(destination: string, delay: DoublingDelay, nowMs: number): number {
    const failures = (this.#trouble.get(destination)?.failures ?? 0) + 1;
    const blockedUntilMs = nowMs + Math.min(delayAfter(delay, failures, this.#jitter), Math.max(delay.firstDelayMs, delay.maxDelayMs * blockShare));
    if (this.#trouble.size >= maxRemembered) this.#trouble.clear(); // what is forgotten is only asked sooner
    this.#trouble.set(destination, { failures, blockedUntilMs });
    return blockedUntilMs;
  }

  /** Answers whether there had been trouble. */
  noteSuccess(destination: string): 'recovered' | 'well' {
    return this.#trouble.delete(destination) ? 'recovered' : 'well';
  }

  /** Somebody says that it is back: ask at once. */
  reopen(destination: string): void {
    const trouble = this.#trouble.get(destination);
    if (trouble !== undefined) trouble.blockedUntilMs = 0;
  }
}
