/** What the embedded directory does for each LDAP operation (RFC 4511 section 4), apart from how the messages travel. */
import { secretBytes } from '../base/secret-bytes.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Filter } from '../ldap/filter.ts';
import { hashPassword, isHashed, verifyPassword } from '../ldap/password-hash.ts';
import type { Logger } from '../log/log.ts';
import { requireAdmin, requireModify, visibleEntry } from './access.ts';
import type { Identity } from './access.ts';
import { addEntry, deleteEntry, entryAt, modifyEntry, renameEntry } from './changes.ts';
import type { Modification } from './changes.ts';
import type { DistinguishedName, RelativeName } from './dn.ts';
import { isBelow, makeEntry, treeKey } from './entry.ts';
import type { DirectoryEntry, StoredAttribute } from './entry.ts';
import { hasValue } from './entry-rules.ts';
import type { EntryStore } from './entry-store.ts';
import { matchesFilter } from './matching.ts';
import { Refusal } from './result.ts';
import { specialEntry } from './root-dse.ts';
import { attributeKey } from './schema.ts';

export interface ServiceOptions {
  readonly store: EntryStore;
  readonly base: DistinguishedName;
  readonly adminDn: DistinguishedName;
  readonly adminPassword: string;
  readonly log: Logger;
}

export interface SearchRequest {
  readonly base: DistinguishedName;
  readonly scope: 'base' | 'one' | 'sub';
  readonly filter: Filter;
  /** 0: no limit asked for. */
  readonly sizeLimit: number;
  /** One page of the results (RFC 2696); `from`: how many were on the pages before. */
  readonly page?: { readonly size: number; readonly from: number } | undefined;
}

export interface SearchResult {
  readonly entries: readonly DirectoryEntry[];
  /** Whether a size limit cut them off. */
  readonly limited: 'yes' | 'no';
  /** Where the next page begins, if there is one. */
  readonly next?: number | undefined;
}

/** Entries that somebody who is not the administrator gets at most, in one page where there are pages; slapd's default too. */
const mostEntries = 500;
/**
 * Refused binds of one name are answered later and later, up to this; right ones at once. It is short because front-ends
 * check their users over few connections, which a refusal keeps busy; they slow their own clients down.
 */
const longestRefusalDelayMs = 250;

export class DirectoryService {
  readonly #options: ServiceOptions;
  readonly #failures = new LRUCache<string, number>({ max: 10_000, ttl: 60_000 });
  /** Compared with where there is no entry, so that the time taken doesn't tell. */
  readonly #nobodysPassword = hashPassword(secretBytes(16).toString('hex'));

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** Simple bind (section 4.2). @throws Refusal invalidCredentials, the same for a wrong password and an unknown name */
  async bind(dn: DistinguishedName, password: string): Promise<Identity> {
    if (dn.length === 0 && password === '') return { kind: 'anonymous' };
    // RFC 4513 section 5.1.2: a name without a password is an anonymous bind that programs take for a successful login.
    if (password === '') throw new Refusal('unwillingToPerform', 'unauthenticated bind (DN with no password) disallowed');
    const key = treeKey(dn);
    const isAdmin = key === treeKey(this.#options.adminDn);
    const stored = isAdmin ? [this.#options.adminPassword] : this.#passwordsOf(key);
    const matches = await Promise.all((stored.length === 0 ? [this.#nobodysPassword] : stored).map(async (value) => await verifyPassword(value, password)));
    if (stored.length > 0 && matches.includes('match')) {
      this.#failures.delete(key);
      return { kind: isAdmin ? 'admin' : 'user', dn };
    }
    await this.#slowDown(key);
    throw new Refusal('invalidCredentials', '');
  }

  /** The matching entries as this identity sees them (section 4.5), and whether a size limit cut them off. */
  search(identity: Identity, request: SearchRequest): SearchResult {
    const most = identity.kind === 'admin' ? Infinity : mostEntries;
    const limit = Math.min(request.sizeLimit || Infinity, request.page === undefined ? most : Infinity);
    const [first, size] = [request.page?.from ?? 0, Math.min(request.page?.size ?? Infinity, most)];
    const entries: DirectoryEntry[] = [];
    let matches = 0;
    for (const entry of this.#inScope(request)) {
      const visible = visibleEntry(entry, identity);
      if (!matchesFilter(visible, request.filter)) continue;
      if (matches >= limit) return { entries, limited: 'yes' };
      matches += 1;
      if (matches <= first) continue;
      if (request.page !== undefined && entries.length >= size) return { entries, limited: 'no', next: first + size };
      entries.push(visible);
    }
    return { entries, limited: 'no' };
  }

  async add(identity: Identity, dn: DistinguishedName, attributes: readonly StoredAttribute[]): Promise<void> {
    requireAdmin(identity);
    const entry = makeEntry(dn, attributes.map(({ name, values }) => ({ name, values: hashed(name, values) })));
    await this.#options.store.change((tree) => addEntry(tree, entry, this.#options.base));
  }

  async delete(identity: Identity, dn: DistinguishedName): Promise<void> {
    requireAdmin(identity);
    await this.#options.store.change((tree) => deleteEntry(tree, dn));
  }

  async modify(identity: Identity, dn: DistinguishedName, modifications: readonly Modification[]): Promise<void> {
    requireModify(identity, dn, modifications.map(({ attribute }) => attribute));
    const stored = modifications.map((modification) => (modification.operation === 'delete'
      ? modification
      : { ...modification, values: hashed(modification.attribute, modification.values) }));
    await this.#options.store.change((tree) => modifyEntry(tree, dn, stored));
  }

  async rename(identity: Identity, dn: DistinguishedName, change: {
    readonly newName: RelativeName; readonly deleteOldName: 'yes' | 'no'; readonly newParent: DistinguishedName | undefined;
  }): Promise<void> {
    requireAdmin(identity);
    await this.#options.store.change((tree) => renameEntry(tree, dn, change));
  }

  /** Compares one value (section 4.10). */
  compare(identity: Identity, dn: DistinguishedName, { attribute, value }: { readonly attribute: string; readonly value: Buffer }): 'same' | 'different' {
    const entry = entryAt(this.#options.store.tree, dn);
    const visible = visibleEntry(entry, identity);
    const key = attributeKey(attribute);
    if (!visible.attributes.has(key)) {
      throw new Refusal(entry.attributes.has(key) ? 'insufficientAccessRights' : 'noSuchAttribute', '');
    }
    return hasValue(visible, attribute, value) ? 'same' : 'different';
  }

  /**
   * Password modify (RFC 3062). `target` is the own entry when absent; a new password is made up when none is given.
   * @returns the password that was made up, if any
   */
  async changePassword(identity: Identity, request: {
    readonly target: DistinguishedName | undefined; readonly oldPassword: string | undefined; readonly newPassword: string | undefined;
  }): Promise<string | undefined> {
    if (identity.kind === 'anonymous') throw new Refusal('unwillingToPerform', 'only authenticated users may change passwords');
    const target = request.target ?? identity.dn;
    requireModify(identity, target, ['userPassword']);
    entryAt(this.#options.store.tree, target);
    if (request.oldPassword !== undefined && !await this.#isPassword(target, request.oldPassword)) {
      throw new Refusal('unwillingToPerform', 'unwilling to verify old password');
    }
    const made = request.newPassword === undefined ? secretBytes(12).toString('base64url') : undefined;
    const fresh = hashPassword(request.newPassword ?? made ?? '');
    const modification: Modification = { operation: 'replace', attribute: 'userPassword', values: [Buffer.from(fresh)] };
    await this.#options.store.change((tree) => modifyEntry(tree, target, [modification]));
    return made;
  }

  * #inScope({ base, scope, filter }: SearchRequest): Generator<DirectoryEntry> {
    const { store } = this.#options;
    const special = scope === 'base' ? specialEntry(base, this.#options.base) : undefined;
    if (special !== undefined) {
      yield special;
      return;
    }
    const top = entryAt(store.tree, base);
    if (scope === 'base') {
      yield top;
      return;
    }
    for (const entry of store.candidates(filter)) {
      const depth = entry.dn.length - base.length;
      const wanted = scope === 'one' ? depth === 1 : depth >= 0;
      if (wanted && (entry === top || isBelow(entry.dn, base))) yield entry;
    }
  }

  #passwordsOf(key: string): string[] {
    return (this.#options.store.tree.get(key)?.attributes.get('userpassword')?.values ?? []).map((value) => value.toString('utf8'));
  }

  async #isPassword(dn: DistinguishedName, password: string): Promise<boolean> {
    const matches = await Promise.all(this.#passwordsOf(treeKey(dn)).map(async (stored) => await verifyPassword(stored, password)));
    return matches.includes('match');
  }

  async #slowDown(key: string): Promise<void> {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.#options.log.info({ dn: key, failures }, 'bind refused');
    await sleep(Math.min(longestRefusalDelayMs, 25 * 2 ** Math.min(failures - 1, 10)));
  }
}

/** Clear-text passwords are never stored. */
function hashed(attribute: string, values: readonly Buffer[]): readonly Buffer[] {
  if (attributeKey(attribute) !== 'userpassword') return values;
  return values.map((value) => (isHashed(value.toString('utf8')) ? value : Buffer.from(hashPassword(value.toString('utf8')))));
}
