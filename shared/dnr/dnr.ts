/**
 * The DNR ("domain name resolver") of a node: mail exchangers and addresses, with time limits, tries and name servers of
 * the configuration, and a small cache. It tells "there is none" (permanent) from "no answer" (temporary) strictly.
 */
import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { LRUCache } from 'lru-cache';
import { boundedCache } from '../base/bounded-cache.ts';
import { Failure } from '../base/failure.ts';

export interface DnrOptions {
  /** `address` or `address:port`; the system's when absent. */
  readonly nameServers?: readonly string[] | undefined;
  /** For one try. */
  readonly timeoutMs: number;
  /** Tries for each name server. */
  readonly tries: number;
  readonly cacheEntries: number;
  /** No answer is kept longer, whatever its TTL says; MX answers come without one. */
  readonly maxTtlMs: number;
  /** For "there is none" (RFC 2308). */
  readonly negativeTtlMs: number;
  readonly ipv6: 'yes' | 'no';
}

export const defaultDnrOptions: DnrOptions = { timeoutMs: 5000, tries: 2, cacheEntries: 10_000, maxTtlMs: 300_000, negativeTtlMs: 60_000, ipv6: 'no' };

/** What the MX records of a domain say (RFC 5321 section 5.1). */
export type MailExchangers =
  /** Lowest preference first. Without MX records: the domain itself (implicit MX). */
  | { readonly at: 'hosts'; readonly hosts: readonly { readonly host: string; readonly preference: number }[] }
  /** The domain says that it takes no mail (RFC 7505). */
  | { readonly at: 'none-wanted' }
  | { readonly at: 'no-such-domain' };

export interface Dnr {
  /** Rejects with `backend-unavailable` when no name server gives an answer. */
  mailExchangers(domain: string): Promise<MailExchangers>;
  /** IPv4 first, then IPv6 when it is in use; empty when there are none. Rejects as above. An address is its own answer. */
  addresses(host: string): Promise<readonly string[]>;
}

type Answer<T> = { readonly at: 'records'; readonly records: readonly T[]; readonly ttlMs: number | undefined } | { readonly at: 'no-records' } | { readonly at: 'no-name' };

/** Makes a resolver with a cache of its own. */
export function createDnr(options: DnrOptions): Dnr {
  return new CachingDnr(options);
}

class CachingDnr implements Dnr {
  readonly #options: DnrOptions;
  readonly #resolver: Resolver;
  readonly #exchangers: LRUCache<string, MailExchangers>;
  readonly #addresses: LRUCache<string, readonly string[]>;

  constructor(options: DnrOptions) {
    this.#options = options;
    this.#resolver = new Resolver({ timeout: options.timeoutMs, tries: options.tries });
    if (options.nameServers !== undefined) this.#resolver.setServers(options.nameServers);
    this.#exchangers = boundedCache(options.cacheEntries);
    this.#addresses = boundedCache(options.cacheEntries);
  }

  async mailExchangers(domain: string): Promise<MailExchangers> {
    const known = this.#exchangers.get(domain);
    if (known !== undefined) return known;
    const answer = await ask(async () => ({ records: await this.#resolver.resolveMx(domain), ttlMs: undefined }));
    const found = readExchangers(domain, answer);
    this.#exchangers.set(domain, found, { ttl: this.#ttlMs(answer) });
    return found;
  }

  async addresses(host: string): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    const known = this.#addresses.get(host);
    if (known !== undefined) return known;
    const asking = [ask(async () => withTtl(await this.#resolver.resolve4(host, { ttl: true })))];
    if (this.#options.ipv6 === 'yes') asking.push(ask(async () => withTtl(await this.#resolver.resolve6(host, { ttl: true }))));
    const answers = await Promise.all(asking);
    const found = answers.flatMap((answer) => (answer.at === 'records' ? answer.records : []));
    this.#addresses.set(host, found, { ttl: Math.min(...answers.map((answer) => this.#ttlMs(answer))) });
    return found;
  }

  /** At least a second, since lru-cache takes 0 for "for ever". */
  #ttlMs(answer: Answer<unknown>): number {
    const { maxTtlMs, negativeTtlMs } = this.#options;
    return Math.max(1000, answer.at === 'records' ? Math.min(answer.ttlMs ?? maxTtlMs, maxTtlMs) : negativeTtlMs);
  }
}

function readExchangers(domain: string, answer: Answer<{ readonly exchange: string; readonly priority: number }>): MailExchangers {
  if (answer.at === 'no-name') return { at: 'no-such-domain' };
  if (answer.at === 'no-records') return { at: 'hosts', hosts: [{ host: domain, preference: 0 }] };
  const [first] = answer.records;
  if (answer.records.length === 1 && (first?.exchange === '' || first?.exchange === '.')) return { at: 'none-wanted' };
  const hosts = answer.records.map(({ exchange, priority }) => ({ host: exchange.toLowerCase(), preference: priority }));
  return { at: 'hosts', hosts: hosts.sort((one, other) => one.preference - other.preference) };
}

function withTtl(records: readonly { readonly address: string; readonly ttl: number }[]): { records: string[]; ttlMs: number } {
  return { records: records.map(({ address }) => address), ttlMs: Math.min(...records.map(({ ttl }) => ttl * 1000)) };
}

async function ask<T>(question: () => Promise<{ readonly records: readonly T[]; readonly ttlMs: number | undefined }>): Promise<Answer<T>> {
  try {
    const { records, ttlMs } = await question();
    return records.length === 0 ? { at: 'no-records' } : { at: 'records', records, ttlMs };
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENODATA') return { at: 'no-records' };
    if (code === 'ENOTFOUND') return { at: 'no-name' };
    throw new Failure('backend-unavailable', 'no name server gives an answer', { cause });
  }
}
