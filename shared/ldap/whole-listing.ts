/**
 * All entries that have some attribute, whatever the server's size limits: first in pages (RFC 2696), which is enough for Active Directory
 * and for servers with limits per page. OpenLDAP's default limit (500) counts all pages together; there the entries are asked for
 * by the beginning of the attribute's values, longer and longer until each part fits.
 */
import type { Filter } from './filter.ts';
import type { Entry, LdapConnection, SearchAnswer } from './ldap-connection.ts';
import { ResultError, resultCodes } from './ldap-errors.ts';

export interface ListingRequest {
  readonly base: string;
  readonly scope: 'base' | 'one' | 'sub';
  /** Has a substring matching rule, as addresses do. */
  readonly having: string;
  readonly attributes: readonly string[];
}

/** Below Active Directory's MaxPageSize (1000) and OpenLDAP's default limit. */
const pageSize = 400;
/** What values begin with; what else there is comes as a part of its own. */
const beginnings = [...'abcdefghijklmnopqrstuvwxyz0123456789._-+'];
/** Bounds for asking by parts: the server's limits should be raised then. */
const [deepest, mostSearches] = [24, 20_000];

/** Thrown where a server gives less than there is. */
export class ListingCutShort extends Error {
  override readonly name = 'ListingCutShort';
}

/** @throws ListingCutShort, ConnectionLost, ResultError */
export async function listWhole(connection: LdapConnection, request: ListingRequest): Promise<readonly Entry[]> {
  const listing = new Listing(connection, request);
  await listing.take({ kind: 'present', attribute: request.having }, '');
  return [...listing.found.values()];
}

class Listing {
  /** By name: an entry with several values is in several parts. */
  readonly found = new Map<string, Entry>();
  readonly #connection: LdapConnection;
  readonly #request: ListingRequest;
  #searches = 0;
  #pages: 'allowed' | 'forbidden' = 'allowed';

  constructor(connection: LdapConnection, request: ListingRequest) {
    this.#connection = connection;
    this.#request = request;
  }

  /** @param beginning of a value that all entries which match have */
  async take(filter: Filter, beginning: string): Promise<void> {
    const { entries, more } = await this.#matches(filter);
    if (more === 'no') {
      for (const entry of entries) this.found.set(entry.dn, entry);
      return;
    }
    if (beginning.length >= deepest) throw new ListingCutShort('the directory allows fewer results than are needed');
    const parts = beginnings.map((next): Filter => ({ kind: 'substrings', attribute: this.#request.having, initial: beginning + next, any: [], final: undefined }));
    for (const [index, part] of parts.entries()) await this.take(part, beginning + (beginnings[index] ?? ''));
    const others = await this.#matches({ kind: 'and', filters: [filter, { kind: 'not', filter: { kind: 'or', filters: parts } }] });
    for (const entry of others.entries) this.found.set(entry.dn, entry);
    // An attribute without a substring rule matches no part: what was seen before must be there again.
    if (others.more === 'yes' || entries.some(({ dn }) => !this.found.has(dn))) throw new ListingCutShort('the directory allows fewer results than are needed');
  }

  async #matches(filter: Filter): Promise<{ readonly entries: readonly Entry[]; readonly more: 'yes' | 'no' }> {
    const entries: Entry[] = [];
    let cookie: Buffer | undefined = Buffer.alloc(0);
    do {
      const answer = await this.#search(filter, cookie);
      entries.push(...answer.entries);
      if (answer.more === 'yes') return { entries, more: 'yes' };
      cookie = answer.nextPage;
    } while (cookie !== undefined);
    return { entries, more: 'no' };
  }

  /** One page, or what there is where the server forbids pages to us. */
  async #search(filter: Filter, cookie: Buffer): Promise<SearchAnswer> {
    this.#searches += 1;
    if (this.#searches > mostSearches) throw new ListingCutShort('the directory gives too little at a time');
    const { base, scope, attributes } = this.#request;
    const page = this.#pages === 'allowed' ? { size: pageSize, cookie } : undefined;
    try {
      return await this.#connection.search({ base, scope, filter, attributes, sizeLimit: 0, page });
    } catch (error) {
      if (page === undefined || cookie.length > 0 || !(error instanceof ResultError) || error.resultCode !== resultCodes.adminLimitExceeded) throw error;
      this.#pages = 'forbidden';
      return this.#search(filter, cookie);
    }
  }
}
