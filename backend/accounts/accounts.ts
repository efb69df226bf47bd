/**
 * Whose mail this node keeps, and who may open it: the ownership rules of a back-end. A live record in the storage means
 * owner. A record is made only after an uncached look-up in the user map names this node; mail that another node still
 * holds for the address is never hidden silently: the log names it. Every back-end protocol opens accounts through here.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Expansion } from '../../shared/user-map/expansion.ts';
import type { UserEntry, UserMaps } from '../../shared/user-map/user-maps.ts';
import type { Account, AccountRecord, Storage } from '../storage/storage.ts';

/** How long who opens an account waits for the end of its move. */
const patienceMs = 5000;
const pollMs = 20;

export interface Accounts {
  /** Checks a password at the user map and opens the account; `bad-credentials` never says which part was wrong. */
  login(name: string, password: string): Promise<Account>;
  /** Opens the account of an address that somebody trusted vouches for. Rejects with `unknown-user`, `not-kept-here`, `directory-unavailable`. */
  open(address: string): Promise<Account>;
  /** What the user map says now (uncached); undefined: no such address. */
  lookUp(address: string): Promise<UserEntry | undefined>;
  /** Where mail for an address goes, by what the user map says now. Rejects with `unknown-user`, `directory-unavailable`. */
  expand(address: string): Promise<Expansion>;
  /** The configured node that a `mailHost` value names, if it names one. */
  nodeOf(mailHost: string | undefined): string | undefined;
}

export interface AccountsOptions {
  readonly storage: Storage;
  readonly maps: UserMaps;
  readonly nodeName: string;
  readonly primaryDomain: string;
  readonly nodeOf: (mailHost: string | undefined) => string | undefined;
  /** Names of the other configured back-ends that say they hold a live record of the address. Never rejects. */
  readonly holders: (address: string) => Promise<{ readonly holders: readonly string[]; readonly silent: readonly string[] }>;
  readonly log: Logger;
}

/** Makes the one gate through which a worker's protocols open accounts. */
export function createAccounts(options: AccountsOptions): Accounts {
  const lookUp = async (address: string): Promise<UserEntry | undefined> => options.maps.lookUp(address);

  const open = async (address: string): Promise<Account> => {
    const known = await keptHere(options.storage, address);
    if (known !== undefined) return known;
    const entry = await lookUp(address);
    if (entry === undefined) throw new Failure('unknown-user', 'no such user');
    return openEntry(options, entry);
  };

  const login = async (name: string, password: string): Promise<Account> => {
    const entry = await lookUp(name.includes('@') ? name : `${name}@${options.primaryDomain}`);
    if (entry === undefined || (await options.maps.authenticate(entry, password)) !== 'ok') {
      throw new Failure('bad-credentials', 'wrong user name or password');
    }
    return openEntry(options, entry);
  };

  const expand = async (address: string): Promise<Expansion> => {
    const entry = await lookUp(address);
    if (entry === undefined) throw new Failure('unknown-user', 'no such user');
    return options.maps.expand(entry);
  };

  return { login, open, lookUp, expand, nodeOf: options.nodeOf };
}

/** The live account, or undefined when there is no record; a tombstone is a referral to the node it names. */
async function keptHere(storage: Storage, address: string): Promise<Account | undefined> {
  const record = await settledRecord(storage, address.toLowerCase());
  if (record.at === 'live') return record.account;
  if (record.at === 'none') return undefined;
  throw new Failure('not-kept-here', 'the mailbox is on another node', { node: record.node });
}

/** While the last of a moving account is copied nobody can say who keeps it: whoever asks waits for that moment. Throws `in-use` when it takes too long. */
async function settledRecord(storage: Storage, address: string): Promise<AccountRecord> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const record = storage.find(address);
    const unsettled = record.at === 'live' ? record.account.standing() === 'held' : record.at === 'arriving' && record.stage === 'ready';
    if (!unsettled) return record;
    if (performance.now() > deadline) throw new Failure('in-use', 'the mailbox is being moved, try again in a moment');
    await sleep(pollMs);
  }
}

async function openEntry(options: AccountsOptions, entry: UserEntry): Promise<Account> {
  const known = await keptHere(options.storage, entry.address);
  if (known !== undefined) return known;
  const owner = options.nodeOf(entry.mailHost);
  if (owner !== options.nodeName) {
    throw new Failure('not-kept-here', 'the mailbox is on another node', { node: owner });
  }
  const { holders, silent } = await options.holders(entry.address);
  if (holders.length > 0) {
    options.log.error(
      { alert: 'mail-left-behind', account: entry.address, holders },
      'a new mailbox is made here, as the directory says, but other nodes hold mail of this account: move it, or put mailHost back',
    );
  }
  if (silent.length > 0) options.log.warn({ account: entry.address, silent }, 'made an account without having heard from all other nodes');
  return options.storage.createAccount(entry.address);
}
