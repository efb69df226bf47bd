/**
 * Whose mail this node keeps, and who may open it: the ownership rules of a back-end. A live record in the storage means
 * owner. A record is made only after an uncached look-up in the user map names this node; mail that another node still
 * holds for the address is never hidden silently: the log names it. Every back-end protocol opens accounts through here.
 */
import { requireUse } from '../../shared/access/account-use.ts';
import type { AccountService, UseTerms } from '../../shared/access/account-use.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Expansion } from '../../shared/user-map/expansion.ts';
import type { UserEntry, UserMaps } from '../../shared/user-map/user-maps.ts';
import type { Account, Storage } from '../storage/storage.ts';
import { DirectoryLimits } from './directory-limits.ts';
import { KnownAddresses } from './known-addresses.ts';
import type { KnownAddressesOptions } from './known-addresses.ts';
import { createLocalAccounts, isLocal } from './local-accounts.ts';
import type { Asker, LocalAccounts } from './local-accounts.ts';
import { changeOwnPassword } from './password-change.ts';
import type { OwnChange } from './password-change.ts';
import { settledRecord } from './settled-record.ts';

export type { AccountAdministration } from './administration.ts';
export type { Done } from './administration-ground.ts';

export interface Accounts {
  /** Checks a password, at the user map or (local accounts) by what is kept here, and opens the account; `bad-credentials` never says which part was wrong. */
  login(credentials: Credentials): Promise<Account>;
  /**
   * Opens the account of an address that somebody trusted vouches for. In an outage of the directory an account that exists is
   * found by what was known of the address not long ago; none is made then. Rejects with `unknown-user`, `not-kept-here`, `directory-unavailable`,
   * and when the account may not be used for that, as `requireUse` says.
   */
  open(address: string, service: AccountService): Promise<Account>;
  /** Lets the use of an account pass, by what its domain, its directory entry and its record say. Throws as `open`. */
  permit(address: string, service: AccountService): Promise<void>;
  /** A session that goes on fills the account: what its directory entry lets it hold is looked at anew, where that is due. Nobody waits for it. */
  keepUp(account: string): void;
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
  /** What it wants to log in to. */
  readonly service: AccountService;
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
  /** What the domain of an address may be used for; everything when absent. */
  readonly domainTerms?: ((address: string) => UseTerms) | undefined;
  /** Who gets mail for addresses of local domains that nobody has; nobody when absent. */
  readonly catchAll?: ((address: string) => string | undefined) | undefined;
  /** What may serve while the directory is away. */
  readonly known: KnownAddressesOptions;
  /** How long what an entry lets its mailbox hold counts before the entry is looked at anew, milliseconds; absent where entries say nothing of it. */
  readonly limitsAgeMs?: number | undefined;
  readonly log: Logger;
}

/** Makes the one gate through which a worker's protocols open accounts. */
export function createAccounts(options: AccountsOptions): Accounts {
  const { counters } = options.known;
  const known = new KnownAddresses(options.known);
  const limits = new DirectoryLimits({ storage: options.storage, ageMs: options.limitsAgeMs, maxEntries: options.known.maxEntries, log: options.log });
  const lookUp = async (address: string): Promise<UserEntry | undefined> => {
    const entry = await known.entry(address, async () => atDefaultHost(options, address, await options.maps.lookUp(address)));
    if (entry !== undefined) await limits.learn(entry);
    return entry;
  };

  const local = createLocalAccounts(options);

  /** Lets the account pass, if all who have a say allow the use of it. */
  const allowed = (account: Account, service: AccountService, entry?: UserEntry): Account => {
    requireUse(service, [options.domainTerms?.(account.address) ?? {}, entry?.terms ?? {}, account.terms()]);
    return account;
  };

  /** One that is made only now learns its limits, too. */
  const openFound = async (entry: UserEntry, service: AccountService): Promise<Account> => {
    const account = await openEntry(options, entry, service);
    await limits.learn(entry);
    return account;
  };

  const find = async (address: string, service: AccountService): Promise<{ readonly account: Account; readonly entry?: UserEntry | undefined }> => {
    const kept = await keptHere(options.storage, address, service);
    if (kept !== undefined) {
      limits.keepUp(kept.address, lookUp);
      return { account: kept };
    }
    let entry: UserEntry | undefined;
    try {
      entry = await lookUp(address);
    } catch (thrown) {
      const found = isFailure(thrown, 'directory-unavailable') ? await keptAsKnown(options, known.remembered(address), service) : undefined;
      if (found === undefined) throw thrown;
      return { account: found };
    }
    const account = isLocal(options.maps, entry, address) ? await local.find(address) : undefined;
    if (account !== undefined) return { account };
    if (entry === undefined) throw new Failure('unknown-user', 'no such user');
    return { account: await openFound(entry, service), entry };
  };

  const open = async (address: string, service: AccountService): Promise<Account> => {
    const { account, entry } = await find(address, service);
    return allowed(account, service, entry);
  };

  const permit = async (address: string, service: AccountService): Promise<void> => {
    await open(address, service);
    const entry = await lookUp(address).catch((thrown: unknown) => {
      if (isFailure(thrown, 'directory-unavailable')) return known.remembered(address);
      throw thrown;
    });
    requireUse(service, [entry?.terms ?? {}]);
  };

  const login = async ({ name, password, service, asker }: Credentials): Promise<Account> => {
    const address = name.includes('@') ? name : `${name}@${options.primaryDomain}`;
    const entry = await lookUp(address);
    if (isLocal(options.maps, entry, address)) {
      const owner = options.nodeOf(entry?.mailHost);
      if (asker === 'frontend' && owner !== undefined && owner !== options.nodeName && (await local.find(address)) === undefined) throw elsewhere(owner);
      return allowed(await local.login(address, password, asker), service, entry);
    }
    if (entry === undefined || !await isPassword(options.maps, entry, password)) {
      throw new Failure('bad-credentials', 'wrong user name or password');
    }
    return allowed(await openFound(entry, service), service, entry);
  };

  const keepUp = (address: string): void => limits.keepUp(address, lookUp);

  const expandNow = async (address: string): Promise<Expansion> => {
    const entry = await lookUp(address);
    const isOfHere = isLocal(options.maps, entry, address);
    const group = isOfHere ? local.group(address) : undefined;
    if (group !== undefined) return options.maps.expand(group);
    if (isOfHere && (await local.find(address)) !== undefined) return { kind: 'mailbox' };
    const catcher = isOfHere && entry?.local?.known !== 'yes' ? options.catchAll?.(address) : undefined;
    if (catcher !== undefined && catcher !== address) return caughtBy(catcher, await expandNow(catcher));
    if (entry === undefined) throw new Failure('unknown-user', 'no such user');
    requireUse('smtp', [options.domainTerms?.(entry.address) ?? {}, entry.terms ?? {}]);
    return options.maps.expand(entry);
  };
  const expand = async (address: string): Promise<Expansion> => known.expansion(address, async () => expandNow(address));

  const changePassword = async (address: string, change: OwnChange): Promise<void> => changeOwnPassword({ maps: options.maps, local }, address, change);

  const counted = async (credentials: Credentials): Promise<Account> => (counters === undefined ? login(credentials) : counters.login(async () => login(credentials)));

  return { login: counted, open, permit, keepUp, lookUp, expand, changePassword, local, nodeOf: options.nodeOf };
}

function caughtBy(catcher: string, expansion: Expansion): Expansion {
  return expansion.kind === 'mailbox' ? { kind: 'addresses', addresses: [catcher] } : expansion;
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

/**
 * The live account, or undefined when there is no record; a tombstone is a referral to the node it names. Of one whose directory
 * entry vanished the directory is to be asked again.
 */
async function keptHere(storage: Storage, address: string, service: AccountService): Promise<Account | undefined> {
  const record = await settledRecord(storage, address.toLowerCase());
  if (record.at === 'live') return record.account;
  if (record.at === 'none') return undefined;
  if (record.at !== 'withdrawn') throw elsewhere(record.node);
  if (record.why === 'deleted') requireUse(service, [{ status: 'deleted' }]);
  return undefined;
}

/** Undefined when what is known of the address leads to no account that exists here. Throws `not-kept-here` when it leads to another node. */
async function keptAsKnown(options: AccountsOptions, entry: UserEntry | undefined, service: AccountService): Promise<Account | undefined> {
  if (entry === undefined) return undefined;
  const account = await keptHere(options.storage, entry.address, service);
  const owner = options.nodeOf(entry.mailHost);
  if (account === undefined && owner !== undefined && owner !== options.nodeName) throw elsewhere(owner);
  return account;
}

function elsewhere(node: string | undefined): Failure {
  return new Failure('not-kept-here', 'the mailbox is on another node', { node });
}

async function openEntry(options: AccountsOptions, entry: UserEntry, service: AccountService): Promise<Account> {
  const known = await keptHere(options.storage, entry.address, service);
  if (known !== undefined) return known;
  const owner = options.nodeOf(entry.mailHost);
  if (owner !== options.nodeName) throw elsewhere(owner);
  // A pattern tells where accounts live, not that this one exists: it is made by `waybill account add`.
  if (entry.local?.known === 'no') throw new Failure('unknown-user', 'no such user');
  const held = await settledRecord(options.storage, entry.address);
  if (held.at === 'withdrawn') return takeUpAgain(options, entry.address);
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

/** Its entry had vanished from the directory, and is there again. */
async function takeUpAgain({ storage, log }: AccountsOptions, address: string): Promise<Account> {
  await storage.lives.restore(address);
  log.warn({ account: address, act: 'account-restored', by: 'directory' }, 'the directory has the entry again: the account is taken up again');
  const record = await settledRecord(storage, address);
  if (record.at !== 'live') throw new Failure('in-use', 'the account is being changed, try again in a moment');
  return record.account;
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
