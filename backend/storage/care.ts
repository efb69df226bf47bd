/** What administrators do to the storages of a node as a whole: lock, back up, check, repair, and bring accounts back from a backup. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../shared/base/failure.ts';
import { noBounds } from './account-bounds.ts';
import { findAccount, liveEntries } from './accounts-table.ts';
import { readBackup } from './backup/backup-record.ts';
import { restoreAccount } from './backup/restore-account.ts';
import type { RestoredAccount, RestoreOrder } from './backup/restore-account.ts';
import { storageKind } from './directory-record.ts';
import type { AccountEntry } from './entries.ts';
import { keysUnder } from './environment.ts';
import type { KeptFolder } from './kept-folder.ts';
import type { Places } from './node-transfers.ts';
import { repairStorage } from './repair/repair-storage.ts';
import type { RepairOptions, RepairReport } from './repair/repair-storage.ts';
import { isUnsettled, noteHeard, settleAccount, unheardIn, unsettledIn } from './unsettled-accounts.ts';
import type { Settlement, Unheard } from './unsettled-accounts.ts';
import { closeVolume, openVolume } from './volume.ts';
import type { Volume } from './volume.ts';

export interface StorageCare {
  /** The storages, in the order of the configuration. */
  folders(): readonly KeptFolder[];
  /** See repair-storage.ts. Throws also `bad-input` when there is no storage in that directory. */
  repair(directory: string, options: RepairOptions): Promise<RepairReport>;
  /** Whether this process has it, be it that it is left. */
  has(directory: string): boolean;
  /** From now on nobody begins anything in that storage, in this process: it is being taken out. */
  leave(directory: string): void;
  /** Rings at whoever has an account of that storage open, in all processes. */
  ring(directory: string): void;
  /** Closes the files of a storage that was left; whoever works in it still is refused with `storage-failure`. Does nothing when it is not open here. */
  letGo(directory: string): Promise<void>;
  /** Every address that belongs to it: accounts in use or not, aliases, groups. */
  addressesOf(directory: string): ReadonlySet<string>;
  /** Accounts that are held until somebody has settled whose they are. */
  unsettled(): readonly string[];
  isUnsettled(address: string): boolean;
  /** See unsettled-accounts.ts. */
  settle(address: string, settlement: Settlement): Promise<void>;
  /** Accounts that this node keeps although some nodes did not say whether they do. */
  unheard(): readonly Unheard[];
  noteHeard(address: string): Promise<void>;
  /** See restore-account.ts. `backup` lies in `folder`. Throws also `bad-input` when there is none of that name. */
  restore(backup: { readonly folder: string; readonly name: string }, order: Omit<RestoreOrder, 'source' | 'target'>): Promise<RestoredAccount>;
  /** Opens the storages of a backup, e.g. to check them. Throws as `restore`. */
  inBackup<T>(backup: { readonly folder: string; readonly name: string }, action: (folders: readonly KeptFolder[]) => Promise<T>): Promise<T>;
  /** Addresses of all accounts that have mail in a backup. Throws as `restore`. */
  accountsIn(backup: { readonly folder: string; readonly name: string }): Promise<readonly string[]>;
}

export interface CareGround extends Places {
  /** Of the volumes, in their order. */
  readonly directories: readonly string[];
  readonly cluster: string;
  readonly leave: (directory: string) => void;
  readonly letGo: (directory: string) => Promise<void>;
}

export function createCare({ volumes, holderOf, placeFor, directories, cluster, leave, letGo }: CareGround): StorageCare {
  return {
    has: (directory) => directories.includes(directory),
    leave,
    letGo,
    folders: () => foldersOf(volumes, directories),
    repair: async (directory, options) => {
      const index = directories.indexOf(directory);
      const [volume, folder] = [volumes[index], foldersOf(volumes, directories)[index]];
      if (volume === undefined || folder === undefined) throw new Failure('bad-input', `this node has no storage ${directory}`);
      return repairStorage(volume, folder, options);
    },
    ring: (directory) => {
      const volume = volumes[directories.indexOf(directory)];
      for (const { id } of volume === undefined ? [] : liveEntries(volume)) volume?.hints.publish({ account: id });
    },
    addressesOf: (directory) => {
      const volume = volumes[directories.indexOf(directory)];
      return volume === undefined ? new Set() : ownedAddressesOf(volume);
    },
    unsettled: () => volumes.flatMap(unsettledIn),
    isUnsettled: (address) => volumes.some((volume) => isUnsettled(volume, address)),
    settle: async (address, settlement) => {
      for (const volume of volumes) await settleAccount(volume, address, settlement);
    },
    unheard: () => volumes.flatMap(unheardIn),
    noteHeard: async (address) => {
      for (const volume of volumes) await noteHeard(volume, address);
    },
    restore: async (backup, order) => withBackup({ ...backup, cluster }, async (sources) => {
      const source = sources.find((volume) => hasMail(volume, order.address));
      if (source === undefined) throw new Failure('unknown-user', `backup ${backup.name} has no mail of ${order.address}`);
      return restoreAccount({ ...order, source, target: holderOf(order.address) ?? placeFor(order.address) });
    }),
    inBackup: async (backup, action) => withBackup({ ...backup, cluster }, async (sources, folders) => action(foldersOf(sources, folders))),
    accountsIn: async (backup) => withBackup({ ...backup, cluster }, async (sources) =>
      Promise.resolve(sources.flatMap((volume) => volume.environment.read(() => [...addressesIn(volume)])).filter((address) => sources.some((volume) => hasMail(volume, address))).sort())),
  };
}

function foldersOf(volumes: readonly Volume[], directories: readonly string[]): readonly KeptFolder[] {
  return volumes.map(({ environment, packs }, index) => ({ directory: directories[index] ?? '', kind: storageKind, environment, packs }));
}

/** Live, or out of use; not what had gone to another node, or was on its way. */
function hasMail(volume: Volume, address: string): boolean {
  const { at } = findAccount(volume, address);
  return at === 'live' || at === 'withdrawn';
}

function addressesIn({ tables }: Volume): readonly string[] {
  return tables.accounts.range(keysUnder([])).map(({ key }) => String(key[0]));
}

/** Every address that belongs to the storage. */
export function ownedAddressesOf(volume: Volume): ReadonlySet<string> {
  return new Set(volume.environment.read(() => ownedAddresses(volume)));
}

/** Not those of tombstones: their accounts are elsewhere, and the directory says where. */
function ownedAddresses({ tables }: Volume): readonly string[] {
  const accounts = tables.accounts.range(keysUnder([])).map(({ value }) => JSON.parse(value.toString()) as AccountEntry).filter(({ movedTo }) => movedTo === undefined);
  return [...accounts.map(({ address }) => address), ...tables.localNames.range(keysUnder([])).map(({ key }) => String(key[0]))];
}

/** Opens the storages of a backup for reading, and closes them. */
async function withBackup<T>({ folder, name, cluster }: { readonly folder: string; readonly name: string; readonly cluster: string }, action: (sources: readonly Volume[], directories: readonly string[]) => Promise<T>): Promise<T> {
  const record = readBackup(folder, name);
  if (record.cluster !== cluster) throw new Failure('bad-input', `backup ${name} is of cluster ${record.cluster}, not of ${cluster}`);
  const directories = record.parts.filter(({ kind }) => kind === 'storage').map((part) => join(folder, name, part.folder));
  const missing = directories.find((directory) => !existsSync(join(directory, 'index', 'data.mdb')));
  if (missing !== undefined) throw new Failure('storage-failure', `backup ${name} is not whole: ${missing} has no index`);
  const sources: Volume[] = [];
  try {
    for (const directory of directories) sources.push(openVolume(directory, { hints: { publish: () => undefined, subscribe: () => () => undefined }, reserveBytes: 0, limitsOf: () => ({ bytes: 0, messages: 0 }), bounds: noBounds }));
    return await action(sources, directories);
  } finally {
    await Promise.all(sources.map(closeVolume));
  }
}
