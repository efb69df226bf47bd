/**
 * Local accounts: those whose passwords no directory has. The back-end that keeps the mailbox keeps the password too, as a
 * hash in the account's record, so that it is as durable as the mail and goes along when the account moves. Which accounts
 * are local says the domain: a user map of type `localFile` has it, or no map is asked for it at all.
 */
import { secretBytes } from '../../shared/base/secret-bytes.ts';
import { Failure } from '../../shared/base/failure.ts';
import { hashPasswordSlowly, verifyPassword } from '../../shared/ldap/password-hash.ts';
import type { UserEntry, UserMaps } from '../../shared/user-map/user-maps.ts';
import type { Account, Storage } from '../storage/storage.ts';
import { localGroup } from './local-groups.ts';
import { settledRecord } from './settled-record.ts';

/** `frontend`: a node of ours, which may be told where the account is. */
export type Asker = 'frontend' | 'client';

export interface LocalAccounts {
  /**
   * The live account here that an address of a local domain belongs to (details taken off); undefined when there is none.
   * @throws Failure('not-kept-here') when the account has gone to another node, Failure('in-use') while it goes
   */
  find(address: string): Promise<Account | undefined>;
  /** The entry of the mailing group kept here that has the address, groups in it resolved; undefined when there is none. */
  group(address: string): UserEntry | undefined;
  /** Checks the password that is kept here. @throws Failure('bad-credentials'); for a front-end also `not-kept-here` */
  login(address: string, password: string, asker: Asker): Promise<Account>;
  /**
   * Makes an account with a password. @throws Failure: `mailbox-exists`, `not-kept-here` when another node is to keep it,
   * `forbidden` when a directory has its passwords, `bad-input` for a password or address that can't be one
   */
  add(address: string, password: string): Promise<Account>;
  /**
   * Stores a new password of an account that lives here; the old one is good no more. @throws Failure: `unknown-user`,
   * `not-kept-here`, `in-use` (being moved), `forbidden` when a directory has its passwords, `bad-input`
   */
  setPassword(address: string, password: string): Promise<void>;
}

export interface LocalAccountsOptions {
  readonly storage: Storage;
  readonly maps: Pick<UserMaps, 'lookUp' | 'covers' | 'spellings'>;
  readonly nodeName: string;
  readonly nodeOf: (mailHost: string | undefined) => string | undefined;
  readonly holders: (address: string) => Promise<{ readonly holders: readonly string[]; readonly silent: readonly string[] }>;
}

/** Whether no directory has the password of an address: `entry` is what the maps say of it. */
export function isLocal(maps: Pick<UserMaps, 'covers'>, entry: UserEntry | undefined, address: string): boolean {
  return entry === undefined ? !maps.covers(address) : entry.local !== undefined;
}

export function createLocalAccounts(options: LocalAccountsOptions): LocalAccounts {
  const { storage, maps, nodeName, nodeOf } = options;
  /** What the password of nobody is compared with, so that it takes as long as somebody's. */
  let nobodys: Promise<string> | undefined;

  const find = async (address: string): Promise<Account | undefined> => {
    for (const spelling of maps.spellings(address)) {
      const record = await settledRecord(storage, spelling);
      if (record.at === 'live') return record.account;
      if (record.at !== 'none' && record.at !== 'withdrawn') throw new Failure('not-kept-here', 'the mailbox is on another node', { node: record.node });
    }
    return undefined;
  };

  const refuseForeign = (entry: UserEntry | undefined, address: string): void => {
    if (!isLocal(maps, entry, address)) throw new Failure('forbidden', 'a directory has the passwords of this domain');
    const owner = entry?.mailHost === undefined ? nodeName : nodeOf(entry.mailHost);
    if (owner !== nodeName) throw new Failure('not-kept-here', 'the user map names another node', { node: owner });
  };

  return {
    find,
    group: (address) => localGroup(storage, maps.spellings(address)),
    login: async (address, password, asker) => {
      const account = await find(address).catch((error: unknown) => {
        if (asker === 'frontend') throw error;
        return undefined; // who has not proven anything is not told where an account is
      });
      const stored = account?.passwordHash() ?? (await (nobodys ??= hashPasswordSlowly(secretBytes(16).toString('hex'))));
      const match = await verifyPassword(stored, password);
      if (account === undefined || match !== 'match') throw new Failure('bad-credentials', 'wrong user name or password');
      return account;
    },
    add: async (given, password) => {
      const address = given.toLowerCase();
      if (!/^[^@\s]+@[^@\s]+$/.test(address)) throw new Failure('bad-input', 'that is no address');
      refuseForeign(await maps.lookUp(address), address);
      const hashed = await hashPasswordSlowly(password);
      const { holders: [holder], silent } = await options.holders(address);
      if (holder !== undefined) throw new Failure('not-kept-here', `${holder} has such an account`, { node: holder });
      const record = await settledRecord(storage, address);
      if (record.at === 'live' || storage.lives.localName(address) !== undefined) throw new Failure('mailbox-exists', 'there is such an account, alias or group already');
      // A new one in the place of what moved away: there would be two, and what lies here still of the first, which may be all that is left of it, would be gone.
      if (record.at === 'moved' && silent.includes(record.node)) throw new Failure('not-kept-here', `the account went to ${record.node}, which does not answer: if it is gone for good, take the account back (waybill account reclaim)`, { node: record.node });
      if (record.at === 'withdrawn') throw new Failure('mailbox-exists', 'there is an account of that name that was deleted: undelete it, or remove it for good with --purge');
      const account = await storage.createAccount(address);
      await account.setPasswordHash(hashed);
      return account;
    },
    setPassword: async (address, password) => {
      const entry = await maps.lookUp(address);
      if (!isLocal(maps, entry, address)) throw new Failure('forbidden', 'a directory has the passwords of this domain');
      const account = await find(address);
      if (account === undefined) throw new Failure('unknown-user', 'there is no such account here');
      await account.setPasswordHash(await hashPasswordSlowly(password));
    },
  };
}
