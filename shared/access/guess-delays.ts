/**
 * How long wrong passwords keep a client waiting. Failures are counted for the client's network and for the account; a
 * program that repeats one wrong password, as mail programs do after a change, counts once. Two kinds of waiting:
 *
 * - before the password is checked, for a network with failures. It is short at most: a good user may share the network with
 *   who guesses (behind one NAT, behind a balancer that doesn't tell). Who logged in from there lately doesn't wait at all.
 * - after a wrong password, before the refusal. It grows long: only who is wrong feels it, so nobody can lock an owner out.
 *
 * Workers tell each other what they count (see notices.ts); each decides by itself, without asking.
 */
import { createHmac } from 'node:crypto';
import type { LRUCache } from 'lru-cache';
import { boundedCache } from '../base/bounded-cache.ts';
import { z } from 'zod';
import type { Notices } from '../service/notices.ts';
import { SharedCounts } from './shared-counts.ts';

export interface GuessDelayOptions {
  /** Failures without a delay. */
  readonly free: number;
  /** The first delay; it doubles with each further failure. */
  readonly firstMs: number;
  /** Of a refusal. */
  readonly longestMs: number;
  /** Before the password is checked. */
  readonly longestWaitMs: number;
  /** A count is forgotten when nothing failed for so long. */
  readonly forgetMs: number;
  /** Wrong passwords are remembered as digests under this key, the same in all workers of the node. */
  readonly key: Buffer;
  /** To the other workers. */
  readonly notices: Notices;
  /** Whose failures these are: they are counted apart. Mail users' when absent. */
  readonly topics?: string;
}

/** Somebody who wants in. */
export interface Guesser {
  /** See `clientNetwork`. */
  readonly network: string;
  /** The name as given, in lower case. */
  readonly name: string;
}

interface Count { failures: number; readonly seen: string[] }

/** Networks and accounts remembered, and different wrong passwords remembered of each. */
const mostCounts = 50_000;
const mostSeen = 16;
/** Of a password, at a directory or a back-end. */
const slowestCheckMs = 60_000;
/** How long a client is known by its last success, and how old that gets before the other workers hear of a new one. */
const knownMs = 24 * 3_600_000;
const tellAgainMs = knownMs / 2;

const failedSchema = z.object({ network: z.string(), account: z.string(), guess: z.string() });
const succeededSchema = z.object({ network: z.string(), name: z.string(), account: z.string() });
type Failed = z.output<typeof failedSchema>;
type Succeeded = z.output<typeof succeededSchema>;

export class GuessDelays {
  readonly #options: GuessDelayOptions;
  readonly #counts: LRUCache<string, Count>;
  /** Who logged in from where; when the others were told. */
  readonly #known = boundedCache<number>(mostCounts, knownMs);
  /** Attempts under way, by network: they count already, so that many at once don't get round the delay. */
  readonly #running = new Map<string, number>();
  /** Of networks with failures the other workers hear; of others nobody has to. */
  readonly #shared: SharedCounts;
  readonly #told = new Set<string>();
  readonly #topics: { readonly failed: string; readonly succeeded: string };

  constructor(options: GuessDelayOptions) {
    this.#options = options;
    this.#counts = boundedCache(mostCounts, options.forgetMs);
    const { notices, forgetMs, topics = 'login' } = options;
    this.#topics = { failed: `${topics} failed`, succeeded: `${topics} succeeded` };
    this.#shared = new SharedCounts({ notices, topic: `${topics} under way`, goodForMs: options.longestWaitMs + options.longestMs + slowestCheckMs });
    notices.subscribe(this.#topics.failed, ({ value, ageMs }) => {
      const failed = failedSchema.safeParse(value);
      if (failed.success && ageMs < forgetMs) this.#note(failed.data);
    });
    notices.subscribe(this.#topics.succeeded, ({ value, ageMs }) => {
      const succeeded = succeededSchema.safeParse(value);
      if (!succeeded.success) return;
      const { network, name, account } = succeeded.data;
      this.#known.set(pair(network, name), performance.now() - ageMs);
      if (ageMs === 0) this.#counts.delete(accountKey(account));
    });
  }

  /** Begins an attempt: how long it has to wait before the password is checked. Every attempt is ended. */
  begin({ network, name }: Guesser): number {
    const running = (this.#running.get(network) ?? 0) + 1;
    this.#running.set(network, running);
    const failures = this.#counts.get(networkKey(network))?.failures ?? 0;
    // A mail program opens several connections at once with the right password: only with failures behind it do they count.
    if (failures === 0 || this.#known.has(pair(network, name))) return 0;
    this.#tell(network);
    return Math.min(this.#options.longestWaitMs, this.#delayFor(failures + running + this.#shared.others(network) - 1));
  }

  end({ network }: Guesser): void {
    const running = (this.#running.get(network) ?? 1) - 1;
    if (running === 0) this.#running.delete(network);
    else this.#running.set(network, running);
    if (this.#told.has(network)) this.#tell(network);
  }

  #tell(network: string): void {
    const running = this.#running.get(network) ?? 0;
    if (running === 0) this.#told.delete(network);
    else this.#told.add(network);
    this.#shared.tell(network, running);
  }

  /** Counts a wrong password; how long the answer has to wait. */
  failed({ network }: Guesser, account: string, password: string): number {
    const guess = createHmac('sha256', this.#options.key).update(`${account}\0${password}`).digest('base64url').slice(0, 16);
    const failed = { network, account, guess };
    const { failures, isNew } = this.#note(failed);
    if (this.#running.has(network) && !this.#told.has(network)) this.#tell(network); // it began before there was a failure
    if (isNew) this.#options.notices.post(this.#topics.failed, Object.values(failed).join(' '), failed);
    return this.#delayFor(failures);
  }

  /** A right password clears the account's count. The network keeps its own: who guesses may have one account himself. */
  succeeded({ network, name }: Guesser, account: string): void {
    const known = this.#known.get(pair(network, name));
    const hadFailures = this.#counts.delete(accountKey(account));
    const nowMs = performance.now();
    if (known !== undefined && nowMs - known < tellAgainMs && !hadFailures) return;
    this.#known.set(pair(network, name), nowMs);
    const succeeded: Succeeded = { network, name, account };
    this.#options.notices.post(this.#topics.succeeded, pair(network, name), succeeded);
  }

  /** Counts for network and account; the higher of both counts. */
  #note({ network, account, guess }: Failed): { readonly failures: number; readonly isNew: boolean } {
    const counts = [this.#count(networkKey(network), guess), this.#count(accountKey(account), guess)];
    return { failures: Math.max(...counts.map(({ failures }) => failures)), isNew: counts.some(({ isNew }) => isNew) };
  }

  #count(key: string, guess: string): { readonly failures: number; readonly isNew: boolean } {
    const count = this.#counts.get(key) ?? { failures: 0, seen: [] };
    const isNew = !count.seen.includes(guess);
    if (isNew) {
      count.failures += 1;
      count.seen.push(guess);
      if (count.seen.length > mostSeen) count.seen.shift();
    }
    this.#counts.set(key, count);
    return { failures: count.failures, isNew };
  }

  #delayFor(failures: number): number {
    const { free, firstMs, longestMs } = this.#options;
    return failures <= free ? 0 : Math.min(longestMs, firstMs * 2 ** Math.min(30, failures - free - 1));
  }
}

function pair(network: string, name: string): string {
  return `${network} ${name}`;
}

function networkKey(network: string): string {
  return `network ${network}`;
}

function accountKey(account: string): string {
  return `account ${account}`;
}
