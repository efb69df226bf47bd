/**
 * Mapping: who an address belongs to and which back-end keeps the mailbox (the face of this room). Answers of the user maps
 * are cached with bounded ages; an outage of the directory is never a miss, and never leads to another node.
 */
import type { LRUCache } from 'lru-cache';
import { boundedCache } from '../../shared/base/bounded-cache.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { candidatesOf, plainAddressing } from '../../shared/user-map/addressing.ts';
import type { Addressing } from '../../shared/user-map/addressing.ts';
import type { Expansion } from '../../shared/user-map/expansion.ts';
import type { UserEntry, UserMaps } from '../../shared/user-map/user-maps.ts';
import { counter } from '../../shared/metrics/metrics.ts';

/** Where a session or a message goes: a node of this cluster, or a server of another kind. */
export type Route =
  | { readonly kind: 'node'; readonly node: string }
  | { readonly kind: 'host'; readonly host: string; readonly port: number | undefined };

export type MapAnswer =
  | {
      readonly kind: 'found';
      /** The canonical address, in lower case: aliases and plus-addresses lead to their account. */
      readonly address: string;
      readonly route: Route;
      /** Absent when only the default route answers for the address. */
      readonly entry: UserEntry | undefined;
      /** `stale`: the directory is away, and this is what it last said; `default`: no map knows the address. */
      readonly from: 'cache' | 'directory' | 'stale' | 'default';
      /** The map that answered. */
      readonly map: string | undefined;
    }
  | { readonly kind: 'unknown'; readonly from: 'cache' | 'directory' }
  /** No mailbox, but mail goes on from here: a group, or an address that only forwards. */
  | { readonly kind: 'mailOnly'; readonly entry: UserEntry }
  | { readonly kind: 'foreign' };

export interface MappingOptions {
  readonly maps: UserMaps;
  /** Names without a domain are completed with it. */
  readonly primaryDomain: string;
  /** Domains that are ours; the primary domain always is. */
  readonly localDomains: readonly string[];
  /** What addresses that nobody has may stand for. */
  readonly addressing?: Addressing | undefined;
  /** What a `mailHost` means; undefined when it means nothing here. */
  readonly resolveHost: (mailHost: string) => Route | undefined;
  /** For entries without a `mailHost`, and for unknown addresses where `onMiss` says so. */
  readonly defaultRoute?: Route | undefined;
  readonly onMiss: 'refuse' | 'default';
  readonly ages: {
    /** How long an entry is used without asking again. */
    readonly positiveMs: number;
    /** How long an unknown address is remembered. */
    readonly negativeMs: number;
    /** How long after the last answer an entry may serve while the directory is away. */
    readonly staleMs: number;
  };
  /** Addresses kept in the cache. */
  readonly maxEntries: number;
  readonly log: Logger;
  /** A clock in milliseconds; the process's own by default. */
  readonly now?: (() => number) | undefined;
}

export interface MappingCounters {
  readonly hits: number;
  readonly misses: number;
  readonly stale: number;
  /** What went to the user maps; each may be several LDAP operations, or none. */
  readonly questions: number;
}

export interface Mapping {
  readonly counters: MappingCounters;
  /**
   * Looks an address up. With `fresh` the cache isn't believed, only brought up to date.
   * @throws Failure('directory-unavailable') when the directory is away and no answer is young enough to go on with, and when
   *   an entry's host means nothing here
   */
  lookUp(address: string, options?: { readonly fresh?: 'yes' | undefined }): Promise<MapAnswer>;
  /**
   * What `mailOnly` and found entries stand for as recipients of mail.
   * @throws Failure('directory-unavailable'), also when only a part of it is known
   */
  expand(entry: UserEntry): Promise<Expansion>;
  /** Drops what is cached for an address, its account and the account's aliases. */
  forget(address: string): void;
}

const lookups = counter({ name: 'waybill_route_lookup', help: 'Look-ups of routes: answered by the cache (hits), asked afresh (misses), answered by old knowledge while the directory was away (stale, of the misses).', labels: ['answer'] });

interface Cached { readonly entry: UserEntry | undefined; readonly askedAt: number }

/** Makes the mapping of one worker process. */
export function createMapping(options: MappingOptions): Mapping {
  return new CachedMapping(options);
}

class CachedMapping implements Mapping {
  readonly #options: MappingOptions;
  readonly #now: () => number;
  readonly #domains: ReadonlySet<string>;
  readonly #cache: LRUCache<string, Cached>;
  /** Questions under way, so that many sessions ask once. */
  readonly #asking = new Map<string, Promise<Cached>>();
  readonly counters = { hits: 0, misses: 0, stale: 0, questions: 0 };

  constructor(options: MappingOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#domains = new Set([options.primaryDomain, ...options.localDomains].map((domain) => domain.toLowerCase()));
    this.#cache = boundedCache(options.maxEntries);
  }

  async lookUp(address: string, { fresh }: { readonly fresh?: 'yes' | undefined } = {}): Promise<MapAnswer> {
    const whole = this.#normalise(address);
    if (!this.#domains.has(whole.slice(whole.lastIndexOf('@') + 1))) return { kind: 'foreign' };
    const answer = await this.#find(whole, fresh);
    return answer.kind === 'unknown' ? this.#missed(whole, answer) : answer;
  }

  async expand(entry: UserEntry): Promise<Expansion> {
    if (entry.group === undefined && entry.routingAddress === undefined) return { kind: 'mailbox' };
    return this.#options.maps.expand(entry);
  }

  forget(address: string): void {
    const key = this.#normalise(address);
    const { entry } = this.#cache.peek(key) ?? {};
    for (const each of [key, ...(entry === undefined ? [] : [entry.address, ...entry.aliases])]) this.#cache.delete(each);
  }

  #normalise(address: string): string {
    const lower = address.toLowerCase();
    return lower.includes('@') ? lower : `${lower}@${this.#options.primaryDomain.toLowerCase()}`;
  }

  async #find(address: string, fresh: 'yes' | undefined): Promise<Exclude<MapAnswer, { kind: 'foreign' }>> {
    const cached = this.#cache.get(address);
    if (cached !== undefined && fresh === undefined && this.#ageOf(cached) < this.#ageLimit(cached)) {
      this.#count('hits');
      return this.#answer(cached.entry, 'cache');
    }
    this.#count('misses');
    try {
      return this.#answer((await this.#ask(address, fresh)).entry, 'directory');
    } catch (error) {
      if (!isFailure(error, 'directory-unavailable') || cached?.entry === undefined) throw error;
      if (this.#ageOf(cached) >= this.#options.ages.staleMs) throw error;
      this.#count('stale');
      return this.#answer(cached.entry, 'stale');
    }
  }

  /** Asks the maps once for all who want to know now; who wants a fresh answer doesn't join a question asked earlier. */
  async #ask(address: string, fresh: 'yes' | undefined): Promise<Cached> {
    const underWay = fresh === undefined ? this.#asking.get(address) : undefined;
    if (underWay !== undefined) return await underWay;
    this.counters.questions += 1;
    const askedAt = this.#now();
    const question = this.#options.maps.lookUp(address).then((entry) => {
      const answer = { entry, askedAt };
      // An answer to a question asked later is newer, even when it came first.
      if ((this.#cache.peek(address)?.askedAt ?? -Infinity) > askedAt) return answer;
      // Who is gone is gone by all names, so that none of them serves when the directory is away the next time.
      if (entry === undefined) this.forget(address);
      this.#cache.set(address, answer);
      return answer;
    });
    this.#asking.set(address, question);
    try {
      return await question;
    } finally {
      if (this.#asking.get(address) === question) this.#asking.delete(address);
    }
  }

  #count(what: 'hits' | 'misses' | 'stale'): void {
    this.counters[what] += 1;
    lookups.add({ answer: what });
  }

  #answer(entry: UserEntry | undefined, from: 'cache' | 'directory' | 'stale'): Exclude<MapAnswer, { kind: 'foreign' }> {
    if (entry === undefined) return { kind: 'unknown', from: from === 'cache' ? 'cache' : 'directory' };
    if (entry.group !== undefined || (entry.mailHost === undefined && entry.routingAddress !== undefined)) return { kind: 'mailOnly', entry };
    return { kind: 'found', address: entry.address, route: this.#routeOf(entry), entry, from, map: entry.map };
  }

  #routeOf(entry: UserEntry): Route {
    const route = entry.mailHost === undefined ? this.#options.defaultRoute : this.#options.resolveHost(entry.mailHost);
    if (route !== undefined) return route;
    this.#options.log.error({ account: entry.address, dn: entry.dn, mailHost: entry.mailHost }, 'entry names no host that can be used');
    throw new Failure('directory-unavailable', 'The mailbox\'s host is not known at the moment. Try again later.');
  }

  #missed(address: string, unknown: Extract<MapAnswer, { kind: 'unknown' }>): MapAnswer {
    const { onMiss, defaultRoute } = this.#options;
    // Where no map is asked, nobody has missed: the default back-end is where such users live.
    if (defaultRoute === undefined || (onMiss === 'refuse' && this.#options.maps.covers(address))) return unknown;
    const account = candidatesOf(address, this.#options.addressing ?? plainAddressing).findLast(({ via }) => via !== 'catchAll')?.address ?? address;
    return { kind: 'found', address: account, route: defaultRoute, entry: undefined, from: 'default', map: undefined };
  }

  #ageOf(cached: Cached): number {
    return this.#now() - cached.askedAt;
  }

  #ageLimit(cached: Cached): number {
    return cached.entry === undefined ? this.#options.ages.negativeMs : this.#options.ages.positiveMs;
  }
}
