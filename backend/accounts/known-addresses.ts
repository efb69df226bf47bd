/** What the user map last said of addresses, for the time when it says nothing. Bounded in age and in number. */
import type { LRUCache } from 'lru-cache';
import { boundedCache } from '../../shared/base/bounded-cache.ts';
import type { AccountCounters } from './account-counters.ts';
import { isFailure } from '../../shared/base/failure.ts';
import type { Expansion } from '../../shared/user-map/expansion.ts';
import type { UserEntry } from '../../shared/user-map/user-maps.ts';

export interface KnownAddressesOptions {
  /** How long after an answer it may serve while the directory is away, milliseconds. */
  readonly staleMs: number;
  readonly maxEntries: number;
  /** Hears of questions, and of answers of before that serve again. */
  readonly counters?: AccountCounters | undefined;
}

interface Answer {
  readonly entry: UserEntry;
  readonly entryAtMs: number;
  readonly expansion?: Expansion | undefined;
  readonly expansionAtMs?: number | undefined;
}

export class KnownAddresses {
  readonly #staleMs: number;
  readonly #counters: AccountCounters | undefined;
  readonly #answers: LRUCache<string, Answer>;

  constructor({ staleMs, maxEntries, counters }: KnownAddressesOptions) {
    this.#staleMs = staleMs;
    this.#counters = counters;
    this.#answers = boundedCache(maxEntries);
  }

  /** Asks, and remembers. */
  async entry(address: string, ask: () => Promise<UserEntry | undefined>): Promise<UserEntry | undefined> {
    const atMs = performance.now();
    this.#counters?.asked();
    const entry = await ask();
    const key = address.toLowerCase();
    if (entry === undefined) this.#answers.delete(key);
    else this.#answers.set(key, { ...this.#answers.peek(key), entry, entryAtMs: atMs });
    return entry;
  }

  /** The entry of not too long ago; undefined when there is none. */
  remembered(address: string): UserEntry | undefined {
    const answer = this.#answers.get(address.toLowerCase());
    if (answer === undefined || !this.#isYoung(answer.entryAtMs)) return undefined;
    this.#counters?.servedStale();
    return answer.entry;
  }

  /** Asks where mail for the address goes; in an outage answers what was said not too long ago. Rejects as `ask`. */
  async expansion(address: string, ask: () => Promise<Expansion>): Promise<Expansion> {
    const key = address.toLowerCase();
    const atMs = performance.now();
    try {
      const expansion = await ask();
      const answer = this.#answers.peek(key);
      if (answer !== undefined) this.#answers.set(key, { ...answer, expansion, expansionAtMs: atMs });
      return expansion;
    } catch (thrown) {
      const answer = this.#answers.get(key);
      if (!isFailure(thrown, 'directory-unavailable') || answer?.expansion === undefined || !this.#isYoung(answer.expansionAtMs ?? -Infinity)) throw thrown;
      this.#counters?.servedStale();
      return answer.expansion;
    }
  }

  #isYoung(atMs: number): boolean {
    return performance.now() - atMs < this.#staleMs;
  }
}
