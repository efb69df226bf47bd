/**
 * What administrators and the directory do to accounts of a node: bar them, take them out of use and up again, rename and
 * remove them; and the addresses that no directory has: aliases and mailing groups. Names are in lower case.
 */
import { withAct } from '../../shared/admin-api/account-act.ts';
import type { AccountAct } from '../../shared/admin-api/account-act.ts';
import { Failure } from '../../shared/base/failure.ts';
import { dropMailOf } from './accounts-table.ts';
import { getAccount, getActs, getLocalName, isHeld, limitsOf, putAccount, putActs, putLocalName, termsOf } from './entries.ts';
import type { AccountEntry, LocalName } from './entries.ts';
import { keysUnder } from './environment.ts';
import type { AccountLimits, AccountTerms } from './interface.ts';
import { noteGrants } from './grants.ts';
import { mailboxesOf } from './leaving-account.ts';
import type { Places } from './node-transfers.ts';
import type { Volume } from './volume.ts';

/** One account whose mail lies here, in use or withdrawn. */
export interface AccountSummary {
  readonly address: string;
  readonly terms: AccountTerms;
  readonly withdrawn?: { readonly why: 'deleted' | 'vanished'; readonly atMs: number } | undefined;
  readonly aliases: readonly string[];
  /** Whether its password is kept here. */
  readonly ownPassword: 'yes' | 'no';
  readonly bytes: number;
  readonly messages: number;
  /** What it may hold. */
  readonly limits: AccountLimits;
  /** What of it is set for the account itself. */
  readonly ownLimits: Partial<AccountLimits>;
}

export interface LocalGroup {
  readonly address: string;
  readonly members: readonly string[];
}

/** All changes are on stable storage when they resolve, and throw `unknown-user`, `not-kept-here`, `in-use` (being moved). */
export interface AccountLives {
  list(): readonly AccountSummary[];
  summary(address: string): AccountSummary | undefined;
  /** Sessions of an account that is no longer active end. */
  setTerms(address: string, terms: AccountTerms): Promise<void>;
  /** Limits of its own; for what is not named those of its domain hold, or the server's. */
  setLimits(address: string, limits: Partial<AccountLimits>): Promise<void>;
  /** What the directory says, which counts before the domain's and the server's limits and after the account's own. Writes only what is new. */
  learnLimits(address: string, limits: Partial<AccountLimits>): Promise<void>;
  /** Takes the account out of use; its mail stays. For one that is withdrawn already the reason changes, the date does not. */
  withdraw(address: string, why: 'deleted' | 'vanished'): Promise<void>;
  /** Takes a withdrawn account up again, whole. */
  restore(address: string): Promise<void>;
  /** Removes a withdrawn account and its mail for good. Throws `forbidden` for one in use. */
  purge(address: string): Promise<void>;
  /** `kept`: the old address stays as an alias. Sessions end. Throws `mailbox-exists` when something has the new address. */
  rename(from: string, to: string, oldAddress: 'kept' | 'dropped'): Promise<void>;
  /** What administrators did to the account, the oldest first. Throws `unknown-user`, `not-kept-here`. */
  acts(address: string): readonly AccountAct[];
  /** Keeps one more, and no more than the newest `mostAccountActs`. */
  keepAct(address: string, act: AccountAct): Promise<void>;
  addAlias(address: string, alias: string): Promise<void>;
  /** Does nothing when the account has no such alias. */
  removeAlias(address: string, alias: string): Promise<void>;
  /** The account that an alias belongs to, here or (after a move) elsewhere; the members of a group. */
  localName(address: string): LocalName | undefined;
  groups(): readonly LocalGroup[];
  /** Makes the group, or gives it other members. Throws `mailbox-exists` when the address is an account's. */
  putGroup(group: LocalGroup): Promise<void>;
  /** Throws `unknown-user` when there is none. */
  removeGroup(address: string): Promise<void>;
}

export function createLives({ volumes, holderOf, placeFor, demandHere }: Places): AccountLives {
  const at = (address: string): Volume => {
    const volume = holderOf(address);
    if (volume === undefined) throw noSuchAccount();
    return volume;
  };
  const nameHolder = (address: string): Volume | undefined => volumes.find(({ environment, tables }) => environment.read(() => getLocalName(tables, address)) !== undefined);
  const localName = (address: string): LocalName | undefined => {
    const volume = nameHolder(address);
    if (volume === undefined) demandHere(address);
    return volume?.environment.read(() => getLocalName(volume.tables, address));
  };
  /** What has the address already; a group or alias may lie in another storage than the account. */
  const requireFree = (address: string): void => {
    if (holderOf(address) !== undefined || localName(address) !== undefined) throw taken(address);
  };
  return {
    list: () => volumes.flatMap(summaries).toSorted((one, other) => (one.address < other.address ? -1 : 1)),
    summary: (address) => {
      const volume = holderOf(address);
      const entry = volume?.environment.read(() => getAccount(volume.tables, address));
      return volume === undefined || entry === undefined || isAway(entry) ? undefined : summaryOf(volume, entry);
    },
    setTerms: async (address, terms) => change(at(address), address, (entry) => ({ ...entry, terms })),
    setLimits: async (address, limits) => change(at(address), address, ({ limits: _before, ...entry }) => (Object.keys(limits).length === 0 ? entry : { ...entry, limits })),
    learnLimits: async (address, limits) => {
      const volume = at(address);
      const known = volume.environment.read(() => getAccount(volume.tables, address))?.directoryLimits ?? {};
      if (known.bytes === limits.bytes && known.messages === limits.messages) return;
      await change(volume, address, ({ directoryLimits: _before, ...entry }) => (Object.keys(limits).length === 0 ? entry : { ...entry, directoryLimits: limits }));
    },
    withdraw: async (address, why) => change(at(address), address, (entry) => ({ ...entry, withdrawn: { why, atMs: entry.withdrawn?.atMs ?? Date.now() } })),
    restore: async (address) => change(at(address), address, ({ withdrawn: _over, ...entry }) => entry),
    purge: async (address) => purge(at(address), address),
    rename: async (from, to, oldAddress) => {
      const name = localName(to);
      if (name?.kind !== 'alias' || name.account !== from) requireFree(to);
      await rename(at(from), { from, to, oldAddress });
    },
    acts: (address) => {
      const { environment, tables } = at(address);
      return environment.read(() => {
        const entry = getAccount(tables, address);
        if (entry?.movedTo !== undefined) throw new Failure('not-kept-here', 'the account has moved', { node: entry.movedTo });
        return entry === undefined ? [] : getActs(tables, entry.number);
      });
    },
    keepAct: async (address, act) => {
      const volume = at(address);
      await volume.environment.write(() => {
        const { number } = requireHere(volume, address);
        putActs(volume.tables, number, withAct(getActs(volume.tables, number), act));
      });
    },
    addAlias: async (address, alias) => {
      requireFree(alias);
      const volume = at(address);
      await change(volume, address, (entry) => {
        putLocalName(volume.tables, alias, { kind: 'alias', account: address });
        return { ...entry, aliases: [...(entry.aliases ?? []), alias] };
      });
    },
    removeAlias: async (address, alias) => {
      const volume = at(address);
      await change(volume, address, (entry) => {
        const aliases = entry.aliases ?? [];
        if (aliases.includes(alias)) volume.tables.localNames.remove([alias]);
        return { ...entry, aliases: aliases.filter((one) => one !== alias) };
      });
    },
    localName,
    groups: () => volumes.flatMap(groupsOf).toSorted((one, other) => (one.address < other.address ? -1 : 1)),
    putGroup: async ({ address, members }) => {
      const holder = nameHolder(address);
      if (localName(address)?.kind !== 'group') requireFree(address);
      const volume = holder ?? placeFor(address);
      await volume.environment.write(() => putLocalName(volume.tables, address, { kind: 'group', members }));
    },
    removeGroup: async (address) => {
      const volume = nameHolder(address);
      if (volume === undefined || localName(address)?.kind !== 'group') throw new Failure('unknown-user', 'there is no such group');
      await volume.environment.write(() => volume.tables.localNames.remove([address]));
    },
  };
}

function noSuchAccount(): Failure {
  return new Failure('unknown-user', 'there is no such account here');
}

function taken(address: string): Failure {
  return new Failure('mailbox-exists', `there is something with the address ${address} already`);
}

/** A tombstone, or on its way to here. */
function isAway({ movedTo, arriving }: AccountEntry): boolean {
  return movedTo !== undefined || arriving !== undefined;
}

function summaries(volume: Volume): AccountSummary[] {
  const { environment, tables } = volume;
  const entries = environment.read(() => tables.accounts.range(keysUnder([])).map(({ value }) => JSON.parse(value.toString()) as AccountEntry));
  return entries.filter((entry) => !isAway(entry)).map((entry) => summaryOf(volume, entry));
}

function summaryOf(volume: Volume, entry: AccountEntry): AccountSummary {
  const { address, withdrawn, aliases = [], bytes, messages, password, limits: ownLimits = {} } = entry;
  return { address, terms: termsOf(entry), withdrawn, aliases, ownPassword: password === undefined ? 'no' : 'yes', bytes, messages, limits: limitsOf(entry, volume.limitsOf(address)), ownLimits };
}

function groupsOf({ environment, tables }: Volume): LocalGroup[] {
  const names = environment.read(() => tables.localNames.range(keysUnder([])));
  return names.flatMap(({ key, value }) => {
    const name = JSON.parse(value.toString()) as LocalName;
    return name.kind === 'group' ? [{ address: String(key[0]), members: name.members }] : [];
  });
}

/** Changes the record in one transaction; sessions and open pages of all processes hear of it. */
async function change(volume: Volume, address: string, to: (entry: AccountEntry) => AccountEntry): Promise<void> {
  const id = await volume.environment.write(() => {
    const entry = requireHere(volume, address);
    putAccount(volume.tables, to(entry));
    return entry.id;
  });
  volume.hints.publish({ account: id });
}

async function purge(volume: Volume, address: string): Promise<void> {
  await volume.environment.write(() => {
    const entry = requireHere(volume, address);
    if (entry.withdrawn === undefined) throw new Failure('forbidden', 'the account is in use: delete it first');
    dropMailOf(volume, entry);
    for (const alias of entry.aliases ?? []) volume.tables.localNames.remove([alias]);
    for (const { key } of volume.tables.retiredNames.range(keysUnder([entry.number]))) volume.tables.retiredNames.remove(key);
    volume.tables.arriving.remove([address]);
    volume.tables.accounts.remove([address]);
  });
}

async function rename(volume: Volume, { from, to, oldAddress }: { readonly from: string; readonly to: string; readonly oldAddress: 'kept' | 'dropped' }): Promise<void> {
  const { tables, environment, hints } = volume;
  const id = await environment.write(() => {
    const entry = requireHere(volume, from);
    if (entry.withdrawn !== undefined) throw new Failure('unknown-user', 'the account is out of use: take it up again first');
    if (getAccount(tables, to) !== undefined) throw taken(to);
    const others = (entry.aliases ?? []).filter((alias) => alias !== to);
    const aliases = oldAddress === 'kept' ? [...others, from] : others;
    tables.localNames.remove([to]);
    for (const alias of aliases) putLocalName(tables, alias, { kind: 'alias', account: to });
    tables.accounts.remove([from]);
    tables.arriving.remove([from]);
    putAccount(tables, { ...entry, address: to, aliases });
    for (const mailbox of mailboxesOf(volume, entry.number)) noteGrants(tables, mailbox, to);
    return entry.id;
  });
  hints.publish({ account: id });
}

/** The record of an account whose mail this node keeps. Inside `write`. */
function requireHere(volume: Volume, address: string): AccountEntry {
  const entry = getAccount(volume.tables, address);
  if (entry === undefined) throw noSuchAccount();
  if (entry.movedTo !== undefined) throw new Failure('not-kept-here', 'the account has moved', { node: entry.movedTo });
  if (entry.arriving !== undefined) throw new Failure('not-kept-here', 'the account is on its way', { node: entry.arriving.from });
  if (isHeld(entry)) throw new Failure('in-use', 'the account is being moved, try again in a moment');
  const { hold: _lapsed, ...here } = entry; // as in AccountChange: its seal must not come after this change, even if the clock is set back
  return here;
}
