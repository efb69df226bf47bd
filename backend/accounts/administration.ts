/**
 * What administrators do to accounts of this node: bar, delete and bring back, remove, rename, give aliases. Of a directory's user
 * the entry is changed, where the connector names an attribute for it; the rest is kept with the mailbox. Every act is audited in
 * the log. Command line and admin API both come here; addresses are an account's own.
 */
import type { AccountService } from '../../shared/access/account-use.ts';
import { counted } from '../../shared/base/counted.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { UserEntry } from '../../shared/user-map/user-maps.ts';
import type { DirectoryChange, UserChange } from '../../cluster-config/directory-changes.ts';
import type { AccountLimits, AccountTerms, Storage } from '../storage/storage.ts';
import { doneBy, requireNewAddress } from './administration-ground.ts';
import type { AdministrationOptions, Done } from './administration-ground.ts';
import { isLocal } from './local-accounts.ts';
import { renameAccount } from './rename.ts';

export interface TermsWish {
  readonly status?: AccountTerms['status'] | undefined;
  readonly services?: readonly AccountService[] | 'all' | undefined;
}

/** Throws `unknown-user`, `not-kept-here`, `in-use` (being moved), `bad-input`, `mailbox-exists`, `forbidden`, and what the directory says. `by` is who wants it, for the log. */
export class AccountAdministration {
  readonly #options: AdministrationOptions;

  constructor(options: AdministrationOptions) {
    this.#options = options;
  }

  /** Sets what the account may be used for; what is not named stays as it is. */
  async setTerms(address: string, wish: TermsWish, by: string): Promise<Done> {
    const { storage, maps, accounts, log } = this.#options;
    const entry = await maps.lookUp(address);
    requireOwn(entry, address);
    const kept: { status?: AccountTerms['status']; services?: readonly AccountService[] | 'all' } = {};
    const results: DirectoryChange[] = [];
    for (const [part, change] of Object.entries({ status: wish.status, services: wish.services })) {
      if (change === undefined) continue;
      const result = await this.#inDirectory(entry, { kind: 'terms', [part]: change });
      if (result === undefined || result.kind === 'no-place') Object.assign(kept, { [part]: change });
      if (result !== undefined) results.push(result);
    }
    if (Object.keys(kept).length > 0) {
      if (storage.find(address).at === 'none') await accounts.open(address, 'smtp'); // a user of the directory who never came
      const present = this.#summary(address).terms;
      const services = kept.services === undefined ? present.services : kept.services === 'all' ? undefined : kept.services;
      await storage.lives.setTerms(address, { status: kept.status ?? present.status, ...(services === undefined ? {} : { services }) });
    }
    log.warn({ audit: 'account-terms', account: address, by, ...wish }, 'an administrator changed what an account may be used for');
    return doneBy(results);
  }

  /** Takes it out of use, as if there were none; its mail is kept. */
  async delete(address: string, by: string): Promise<Done> {
    const { storage, maps, log } = this.#options;
    const entry = await maps.lookUp(address);
    requireOwn(entry, address);
    const record = storage.find(address);
    if (record.at === 'withdrawn' && record.why === 'deleted') throw new Failure('unknown-user', 'the account is deleted already');
    if (record.at === 'none' && entry?.dn === undefined) throw new Failure('unknown-user', 'there is no such account here');
    if (record.at !== 'none') await storage.lives.withdraw(address, 'deleted');
    const result = await this.#orUndo(entry, { kind: 'terms', status: 'deleted' }, async () => (record.at === 'live' ? storage.lives.restore(address) : undefined));
    if (record.at === 'none' && result?.kind === 'no-place') throw new Failure('unknown-user', `the account has no mailbox yet, and ${result.why}: delete its entry`);
    log.warn({ audit: 'account-deleted', account: address, by }, 'an administrator deleted an account; its mail is kept for now');
    return doneBy([result]);
  }

  /** Takes a deleted or held account up again, as it was. */
  async undelete(address: string, by: string): Promise<Done> {
    const { storage, maps, log } = this.#options;
    const entry = await maps.lookUp(address, 'also deleted');
    const record = storage.find(address);
    if (record.at === 'withdrawn' && record.why === 'vanished' && entry === undefined) throw new Failure('unknown-user', 'its directory entry is gone: put the entry back, and the account is back');
    if (record.at !== 'withdrawn' && entry?.terms?.status !== 'deleted') throw new Failure('unknown-user', 'there is no deleted account of that name here');
    if (record.at === 'withdrawn') await storage.lives.restore(address);
    const result = await this.#orUndo(entry, { kind: 'terms', status: 'active' }, async () => (record.at === 'withdrawn' ? storage.lives.withdraw(address, record.why) : undefined));
    log.warn({ audit: 'account-undeleted', account: address, by }, 'an administrator brought an account back');
    return doneBy([result]);
  }

  /** Limits of its own; for what is not named those of its domain hold, or the server's. */
  async setLimits(address: string, limits: Partial<AccountLimits>, by: string): Promise<Done> {
    const { storage, maps, accounts, log } = this.#options;
    const entry = await maps.lookUp(address);
    requireOwn(entry, address);
    if (storage.find(address).at === 'none') await accounts.open(address, 'smtp'); // a user of the directory who never came
    await storage.lives.setLimits(address, limits);
    log.warn({ audit: 'account-quota', account: address, by, ...limits }, 'an administrator set what an account may hold');
    return { notes: entry?.dn === undefined ? [] : ['kept with the mailbox, not in the directory'] };
  }

  /** Whether it lives here and nobody has taken it out of use. */
  isInUse(address: string): boolean {
    return this.#options.storage.find(address).at === 'live';
  }

  /** Removes a deleted or held account and its mail for good. */
  async purge(address: string, by: string): Promise<Done> {
    const { storage, log } = this.#options;
    const { messages, bytes } = this.#summary(address);
    await storage.lives.purge(address);
    log.warn({ audit: 'account-purged', account: address, by, messages, bytes }, 'an administrator removed an account and its mail for good');
    return { notes: [`gone for good: ${counted(messages, 'message')}`] };
  }

  /** See `renameAccount`. */
  async rename(from: string, wish: { readonly to: string; readonly oldAddress: 'kept' | 'dropped' }, by: string): Promise<Done> {
    const done = await renameAccount(this.#options, { from, ...wish });
    this.#options.log.warn({ audit: 'account-renamed', account: wish.to, from, oldAddress: wish.oldAddress, by }, 'an administrator renamed an account');
    return done;
  }

  /** Of accounts whose addresses no directory has. */
  async addAlias(address: string, alias: string, by: string): Promise<Done> {
    const { storage, log } = this.#options;
    await this.#requireLocal(address);
    await requireNewAddress(this.#options, alias);
    await storage.lives.addAlias(address, alias);
    log.warn({ audit: 'alias-added', account: address, alias, by }, 'an administrator gave an account an alias');
    return { notes: [] };
  }

  async removeAlias(address: string, alias: string, by: string): Promise<Done> {
    const { storage, log } = this.#options;
    if (!this.#summary(address).aliases.includes(alias)) throw new Failure('unknown-user', `${address} has no alias ${alias} that is kept here`);
    await storage.lives.removeAlias(address, alias);
    log.warn({ audit: 'alias-removed', account: address, alias, by }, 'an administrator took an alias away');
    return { notes: [] };
  }

  async putGroup(group: { readonly address: string; readonly members: readonly string[] }, by: string): Promise<Done> {
    const { storage, log } = this.#options;
    if (storage.lives.localName(group.address)?.kind !== 'group') await requireNewAddress(this.#options, group.address);
    await storage.lives.putGroup(group);
    log.warn({ audit: 'group-changed', group: group.address, members: group.members.length, by }, 'an administrator changed a mailing group');
    return { notes: [] };
  }

  async removeGroup(address: string, by: string): Promise<Done> {
    await this.#options.storage.lives.removeGroup(address);
    this.#options.log.warn({ audit: 'group-removed', group: address, by }, 'an administrator removed a mailing group');
    return { notes: [] };
  }

  #summary(address: string): NonNullable<ReturnType<Storage['lives']['summary']>> {
    const found = this.#options.storage.lives.summary(address);
    if (found === undefined) throw new Failure('unknown-user', 'there is no such account here');
    return found;
  }

  async #requireLocal(address: string): Promise<void> {
    const { maps } = this.#options;
    this.#summary(address);
    if (!isLocal(maps, await maps.lookUp(address), address)) throw new Failure('forbidden', 'a directory has the addresses of this account: change its entry');
  }

  /** Undefined where no directory has the user. */
  async #inDirectory(entry: UserEntry | undefined, change: UserChange): Promise<DirectoryChange | undefined> {
    return entry?.dn === undefined ? undefined : this.#options.changeUser(entry, change);
  }

  async #orUndo(entry: UserEntry | undefined, change: UserChange, undo: () => Promise<void> | Promise<undefined>): Promise<DirectoryChange | undefined> {
    try {
      return await this.#inDirectory(entry, change);
    } catch (error) {
      await undo();
      throw error;
    }
  }
}

function requireOwn(entry: UserEntry | undefined, address: string): void {
  if (entry !== undefined && entry.address !== address && entry.via !== undefined) throw new Failure('bad-input', `${address} is another address of ${entry.address}: name the account by that`);
  if (entry?.group !== undefined) throw new Failure('bad-input', `${address} is a group`);
}
