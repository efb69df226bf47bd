/**
 * How long wrong passwords keep a client waiting. Failures are counted for the client's network and for the account; a
 * program that repeats one wrong password, as mail programs do after a change, counts once. A network with many failures
 * waits before its password is even checked; of an account's failures only further wrong answers are late, so that nobody
 * can lock the owner out.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';

export interface GuessDelayOptions {
  /** Failures without a delay. */
  readonly free: number;
  /** The first delay; it doubles with each further failure. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** A count is forgotten when nothing failed for so long. */
  readonly forgetMs: number;
}

interface Count { failures: number; readonly seen: string[] }

/** Networks and accounts remembered, and different wrong passwords remembered of each. */
const mostCounts = 50_000;
const mostSeen = 16;

export class GuessDelays {
  readonly #options: GuessDelayOptions;
  readonly #counts: LRUCache<string, Count>;
  /** Attempts under way, by network: they count already, so that many at once don't get round the delay. */
  readonly #running = new Map<string, number>();
  /** Passwords are remembered as digests under a key that dies with the process. */
  readonly #key = randomBytes(32);

  constructor(options: GuessDelayOptions) {
    this.#options = options;
    this.#counts = new LRUCache({ max: mostCounts, ttl: options.forgetMs });
  }

  /** Begins an attempt: how long it has to wait before the password is checked. Every attempt is ended. */
  begin(network: string): number {
    const running = (this.#running.get(network) ?? 0) + 1;
    this.#running.set(network, running);
    const failures = this.#counts.get(`network ${network}`)?.failures ?? 0;
    // A mail program opens several connections at once with the right password: only with failures behind it do they count.
    return this.#delayFor(failures === 0 ? 0 : failures + running - 1);
  }

  end(network: string): void {
    const running = (this.#running.get(network) ?? 1) - 1;
    if (running === 0) this.#running.delete(network);
    else this.#running.set(network, running);
  }

  /** Counts a wrong password; how long the answer has to wait. */
  failed(network: string, account: string, password: string): number {
    const guess = createHmac('sha256', this.#key).update(`${account}\0${password}`).digest('base64');
    this.#count(`network ${network}`, guess);
    return this.#delayFor(this.#count(`account ${account}`, guess));
  }

  /** A right password clears the account's count. The network keeps its own: who guesses may have one account himself. */
  succeeded(account: string): void {
    this.#counts.delete(`account ${account}`);
  }

  #count(key: string, guess: string): number {
    const count = this.#counts.get(key) ?? { failures: 0, seen: [] };
    if (!count.seen.includes(guess)) {
      count.failures += 1;
      count.seen.push(guess);
      if (count.seen.length > mostSeen) count.seen.shift();
    }
    this.#counts.set(key, count);
    return count.failures;
  }

  #delayFor(failures: number): number {
    const { free, firstMs, longestMs } = this.#options;
    return failures <= free ? 0 : Math.min(longestMs, firstMs * 2 ** Math.min(30, failures - free - 1));
  }
}
