/**
 * Whose mail this node keeps, and who may open it: the ownership rules of a back-end. A live record in the storage means
 * owner. A record is made only after an uncached look-up in the user map names this node; mail that another node still
 * holds for the address is never hidden silently: the log names it. Every back-end protocol opens accounts through here.
 */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Expansion } from '../../shared/user-map/expansion.ts';
import type { UserEntry, UserMaps } from '../../shared/user-map/user-maps.ts';
import type { Account, Storage } from '../storage/storage.ts';
import { KnownAddresses } from './known-addresses.ts';
import type { KnownAddressesOptions } from './known-addresses.ts';
import { createLocalAccounts, isLocal } from './local-accounts.ts';
import type { Asker, LocalAccounts } from './local-accounts.ts';
import { changeOwnPassword } from './password-change.ts';
import type { OwnChange } from './password-change.ts';
import { settledRecord } from './settled-record.ts';

export interface Accounts {
  /** Checks a password, at the user map or (local accounts) by what is kept here, and opens the account; `bad-credentials` never says which part was wrong. */
  login(credentials: Credentials): Promise<Account>;
  /**
   * Opens the account of an address that somebody trusted vouches for. In an outage of the directory an account that exists is
   * found by what was known of the address not long ago; none is made then. Rejects with `unknown-user`, `not-kept-here`, `directory-unavailable`.
   */
  open(address: string): Promise<Account>;
  /** What the user map says now (uncached); undefined: no such address. */
  lookUp(address: string): Promise<UserEntry | undefined>;
  /** Where mail for an address goes, by what the user map says now, or (in an outage) said not long ago. Rejects with `unknown-user`, `directory-unavailable`. */
  expand(address: string): Promise<Expansion>;
  /** A user's own change of the password, at the directory or here; see `changeOwnPassword`. */
  changePassword(address: string, change: OwnChange): Promise<void>;
  /** Those whose passwords are kept here. */
  readonly local: LocalAccounts;
  /** The configured node that a `mailHost` value names, if it names one. */
  nodeOf(mailHost: string | undefined): string | undefined;
}

export interface Credentials {
  /** An address, or a bare name of the primary domain. */
  readonly name: string;
  readonly password: string;
  /** Who wants to know: a front-end of the cluster, or the client itself. */
  readonly asker: Asker;
}

export interface AccountsOptions {
  readonly storage: Storage;
  readonly maps: UserMaps;
  readonly nodeName: string;
  readonly primaryDomain: string;
  readonly nodeOf: (mailHost: string | undefined) => string | undefined;
  /** `routing.mappingHost`: where users live whose entry names no host, and those of domains that no map is asked for. */
  readonly defaultHost?: string | undefined;
  /** Names of the other configured back-ends that say they hold a live record of the address. Never rejects. */
  readonly holders: (address: string) => Promise<{ readonly holders: readonly string[]; readonly silent: readonly string[] }>;
  /** What may serve while the directory is away. */
  readonly known: KnownAddressesOptions;
  readonly log: Logger;
}

/** Makes the one gate through which a worker's protocols open accounts. */
export function createAccounts(options: AccountsOptions): Accounts {
  const known = new KnownAddresses(options.known);
  const lookUp = async (address: string): Promise<UserEntry | undefined> => known.entry(address, async () => atDefaultHost(options, address, await options.maps.lookUp(address)));

  const local = createLocalAccounts(options);

  const open = async (address: string): Promise<Account> => {
    const kept = await keptHere(options.storage, address);
    if (kept !== undefined) return kept;
    let entry: UserEntry | undefined;
    try {
      entry = await lookUp(address);
    } catch (thrown) {
      const found = isFailure(thrown, 'directory-unavailable') ? await keptAsKnown(options, known.remembered(address)) : undefined;
      if (found === undefined) throw thrown;
      return found;
    }
    const account = isLocal(options.maps, entry, address) ? await local.find(address) : undefined;
    if (account !== undefined) return account;
    if (entry === undefined) throw new Failure('unknown-user', 'no such user');
    return openEntry(options, entry);
  };

  const login = async ({ name, password, asker }: Credentials): Promise<Account> => {
    const address = name.includes('@') ? name : `${name}@${options.primaryDomain}`;
    const entry = await lookUp(address);
    if (isLocal(options.maps, entry, address)) {
      const owner = options.nodeOf(entry?.mailHost);
      if (asker === 'frontend' && owner !== undefined && owner !== options.nodeName && (await local.find(address)) === undefined) throw elsewhere(owner);
      return local.login(address, password, asker);
    }
    if (entry === undefined || !await isPassword(options.maps, entry, password)) {
      throw new Failure('bad-credentials', 'wrong user name or password');
    }
    return openEntry(options, entry);
  };

  const expand = async (address: string): Promise<Expansion> => known.expansion(address, async () => {
    const entry = await lookUp(address);
    if (entry !== undefined) return options.maps.expand(entry);
    if (isLocal(options.maps, entry, address) && (await local.find(address)) !== undefined) return { kind: 'mailbox' };
    throw new Failure('unknown-user', 'no such user');
  });

  const changePassword = async (address: string, change: OwnChange): Promise<void> => changeOwnPassword({ maps: options.maps, local }, address, change);

  return { login, open, lookUp, expand, changePassword, local, nodeOf: options.nodeOf };
}

/** What front-ends make of an entry, or of none, where there is a default back-end; see `frontend/mapping`. */
function atDefaultHost({ maps, defaultHost }: AccountsOptions, address: string, entry: UserEntry | undefined): UserEntry | undefined {
  if (entry === undefined) {
    if (defaultHost === undefined || maps.covers(address)) return undefined;
    const account = maps.spellings(address).at(-1) ?? address;
    return { address: account, mailHost: defaultHost, dn: undefined, map: '', aliases: [], routingAddress: undefined, local: { known: 'no' } };
  }
  const hasPlace = entry.mailHost !== undefined || entry.routingAddress !== undefined || entry.group !== undefined;
  return hasPlace ? entry : { ...entry, mailHost: defaultHost };
}

/** The live account, or undefined when there is no record; a tombstone is a referral to the node it names. */
async function keptHere(storage: Storage, address: string): Promise<Account | undefined> {
  const record = await settledRecord(storage, address.toLowerCase());
  if (record.at === 'live') return record.account;
  if (record.at === 'none') return undefined;
  throw elsewhere(record.node);
}

/** Undefined when what is known of the address leads to no account that exists here. Throws `not-kept-here` when it leads to another node. */
async function keptAsKnown(options: AccountsOptions, entry: UserEntry | undefined): Promise<Account | undefined> {
  if (entry === undefined) return undefined;
  const account = await keptHere(options.storage, entry.address);
  const owner = options.nodeOf(entry.mailHost);
  if (account === undefined && owner !== undefined && owner !== options.nodeName) throw elsewhere(owner);
  return account;
}

function elsewhere(node: string | undefined): Failure {
  return new Failure('not-kept-here', 'the mailbox is on another node', { node });
}

async function openEntry(options: AccountsOptions, entry: UserEntry): Promise<Account> {
  const known = await keptHere(options.storage, entry.address);
  if (known !== undefined) return known;
  const owner = options.nodeOf(entry.mailHost);
  if (owner !== options.nodeName) throw elsewhere(owner);
  // A pattern tells where accounts live, not that this one exists: it is made by `waybill account add`.
  if (entry.local?.known === 'no') throw new Failure('unknown-user', 'no such user');
  const account = await options.storage.createAccount(entry.address);
  // Asked afterwards: of two nodes that make it at once, each told by its replica to be the one, at least one hears of the other.
  const { holders, silent } = await options.holders(entry.address);
  if (holders.length > 0) {
    options.log.error(
      { alert: 'mail-left-behind', account: entry.address, holders },
      'a new mailbox is made here, as the directory says, but other nodes hold mail of this account: move it, or put mailHost back',
    );
  }
  if (silent.length > 0) options.log.warn({ account: entry.address, silent }, 'made an account without having heard from all other nodes');
  return account;
}

/** A locked account is one whose password was not looked at: this must not be told to who may only be guessing. */
async function isPassword(maps: UserMaps, entry: UserEntry, password: string): Promise<boolean> {
  try {
    return await maps.authenticate(entry, password) === 'ok';
  } catch (error) {
    if (isFailure(error, 'account-locked')) return false;
    throw error;
  }
}
