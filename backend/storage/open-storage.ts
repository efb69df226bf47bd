/** Opens the storages of a node: finds accounts in all of them and places new ones. */
import { hash } from 'node:crypto';
import { Failure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { HintBus } from '../../shared/service/service.ts';
import { usualBounds } from './account-bounds.ts';
import { createLives } from './account-lives.ts';
import type { AccountLives } from './account-lives.ts';
import { createAccount, findAccount, hasAccount, liveAddresses, markMoved, useOf } from './accounts-table.ts';
import { createCare, ownedAddressesOf } from './care.ts';
import type { StorageCare } from './care.ts';
import { adoptDirectory } from './adopted-directory.ts';
import { claimDirectory, demandCluster, flagRecordsFrom } from './directory-record.ts';
import type { Account, AccountBounds, AccountLimits, AccountRecord, DeliveryRecords, DomainLimits, StandingLimits, Storage } from './interface.ts';
import { groupsGranted, ownersGranting } from './grants.ts';
import { sweepLots } from './lots.ts';
import { tellDamageOf } from './lost-index.ts';
import { createTransfers } from './node-transfers.ts';
import type { TakenOut } from './storage-list.ts';
import type { Transfers } from './transfers.ts';
import { closeVolume, deliveryRecordsOf, notHereForNow, openVolume } from './volume.ts';
import type { Volume } from './volume.ts';

/** What a domain's accounts may have of this node. */
export interface DomainRules extends DomainLimits {
  /** The only storages, by their folders, for new accounts of the address's domain; undefined for all. */
  storagesOf(address: string): readonly string[] | undefined;
}

export interface StorageOptions extends StandingLimits {
  /** One storage each, at least one; their order matters for the place of new accounts only. */
  readonly directories: readonly string[];
  /** Of these, the ones that take new accounts only of domains that name them; they may have been another node's. */
  readonly attached?: readonly string[] | undefined;
  /** Of these, the ones that are just being taken in: they may have been another node's, too, also where the configuration names them. */
  readonly joining?: readonly string[] | undefined;
  /** Storages of the node that are not here for now. */
  readonly takenOut?: readonly TakenOut[] | undefined;
  readonly clusterName: string;
  readonly nodeName: string;
  readonly hints: HintBus;
  readonly log: Logger;
  /** Number of this worker process, for the log. */
  readonly workerSlot: number;
  /** Below this free space mail is refused with `storage-full`. */
  readonly reserveBytes: number;
  /** `usualBounds` when absent. */
  readonly bounds?: AccountBounds | undefined;
  readonly domains?: DomainRules | undefined;
}

/**
 * Opens all storages of the node. Throws `in-use` when a directory belongs to another cluster or node, `storage-failure`
 * when one can't be opened or has a newer format.
 */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const { clusterName: cluster, nodeName: node, hints, reserveBytes, bounds = usualBounds } = options;
  const standing = { limits: options as StandingLimits };
  const limitsOf = (address: string): AccountLimits => ({ ...standing.limits.quota ?? { bytes: 0, messages: 0 }, ...standing.limits.domains?.limitsOf(address) });
  const volumes: Volume[] = [];
  try {
    for (const directory of options.directories) {
      const mayBeOthers = [options.attached, options.joining].some((some) => some?.includes(directory));
      const { format } = mayBeOthers ? demandCluster(directory, cluster) : claimDirectory(directory, { cluster, node });
      const volume = openVolume(directory, { hints, reserveBytes, limitsOf, bounds, flagRecords: format < flagRecordsFrom ? 'not kept' : 'kept' });
      tellDamageOf(volume.environment, options.log, { directory, what: 'storage' });
      volumes.push(volume);
      if (mayBeOthers) await adoptDirectory(volume, directory, { cluster, node });
    }
  } catch (error) {
    await Promise.all(volumes.map(closeVolume));
    throw error;
  }
  options.log.info({ directories: options.directories, worker: options.workerSlot }, 'storages are open');
  tellTwice(volumes, options);
  const storage = new NodeStorage(volumes, standing, options);
  await storage.removeBrokenLots();
  return storage;
}

/** Nothing that is left over keeps a node from starting. */
async function sweep(volume: Volume, log: Logger): Promise<void> {
  try {
    const count = await sweepLots(volume, log);
    if (count > 0) log.info({ count }, 'copies that had broken off half-way are removed');
  } catch (error) {
    log.error({ err: error }, 'what is left of copies that broke off could not be removed yet');
  }
}

class NodeStorage implements Storage {
  readonly transfers: Transfers;
  readonly lives: AccountLives;
  readonly care: StorageCare;
  /** Without those that were taken out since; all parts of this object share both lists. */
  readonly #volumes: Volume[];
  readonly #directories: string[];
  readonly #attached: readonly string[];
  readonly #takenOut: Pick<TakenOut, 'addresses'>[];
  readonly #domains: DomainRules | undefined;
  readonly #standing: { limits: StandingLimits };
  readonly #log: Logger;

  constructor(volumes: Volume[], standing: { limits: StandingLimits }, { directories, attached = [], takenOut = [], domains, clusterName, log }: Pick<StorageOptions, 'directories' | 'attached' | 'takenOut' | 'domains' | 'clusterName' | 'log'>) {
    this.#volumes = volumes;
    this.#standing = standing;
    this.#attached = attached;
    this.#takenOut = [...takenOut];
    this.#directories = [...directories];
    const places = { volumes, holderOf: (address: string) => this.#holderOf(address), placeFor: (address: string) => this.#placeFor(address), demandHere: (address: string) => this.#demandHere(address) };
    this.transfers = createTransfers(places);
    this.lives = createLives(places);
    this.care = createCare({ ...places, directories: this.#directories, cluster: clusterName, leave: (directory) => this.#leave(directory), letGo: async (directory) => this.#letGo(directory) });
    this.#domains = domains;
    this.#log = log;
  }

  find(address: string): AccountRecord {
    const records = this.#volumes.map((volume) => ({ volume, record: findAccount(volume, address) }));
    const known = records.find(({ record: { at } }) => at === 'live') ?? records.find(({ record: { at } }) => at !== 'none');
    if (known === undefined) this.#demandHere(address);
    if (known?.volume.use.state === 'leaving') throw notHereForNow();
    return known?.record ?? { at: 'none' };
  }

  isTakenOut(address: string): boolean {
    const holder = this.#volumes.find((volume) => hasAccount(volume, address));
    return holder === undefined ? this.#takenOut.some(({ addresses }) => addresses.has(address)) : holder.use.state === 'leaving';
  }

  async createAccount(address: string): Promise<Account> {
    const known = this.find(address);
    return known.at === 'live' ? known.account : createAccount(this.#holderOf(address) ?? this.#placeFor(address), address);
  }

  addresses(): string[] {
    return this.#volumes.flatMap(liveAddresses).sort();
  }

  ownersGranting(who: string): string[] {
    return this.#inUse().flatMap((volume) => volume.environment.read(() => ownersGranting(volume.tables, who)).filter((owner) => findAccount(volume, owner).at === 'live'));
  }

  groupsGranted(): string[] {
    return [...new Set(this.#inUse().flatMap(({ environment, tables }) => environment.read(() => groupsGranted(tables))))];
  }

  /** Without those that are being taken out, of which nobody can be opened. */
  #inUse(): readonly Volume[] {
    return this.#volumes.filter(({ use }) => use.state === 'open');
  }

  volumes(): { readonly directory: string; readonly accounts: number; readonly bytes: number }[] {
    return this.#volumes.map((volume, index) => ({ directory: this.#directories[index] ?? '', ...useOf(volume) }));
  }

  deliveryRecords(): DeliveryRecords[] {
    return this.#volumes.map(deliveryRecordsOf);
  }

  async markMoved(address: string, node: string, epoch: number): Promise<void> {
    const volume = this.#holderOf(address);
    if (volume === undefined) throw new Failure('unknown-user', 'no such account');
    await markMoved(volume, address, { node, epoch });
  }

  async removeBrokenLots(): Promise<void> {
    await Promise.all(this.#volumes.map(async (volume) => sweep(volume, this.#log)));
  }

  async removeDeadPacks(idleMs: number): Promise<number> {
    const removed = await Promise.all(this.#volumes.map((volume) => volume.packs.removeDead(idleMs)));
    return removed.reduce((sum, count) => sum + count, 0);
  }

  useLimits(limits: StandingLimits): void {
    this.#standing.limits = limits;
  }

  async close(): Promise<void> {
    await Promise.all(this.#volumes.map(closeVolume));
  }

  #leave(directory: string): void {
    const volume = this.#volumes[this.#directories.indexOf(directory)];
    if (volume !== undefined) volume.use.state = 'leaving';
  }

  async #letGo(directory: string): Promise<void> {
    const index = this.#directories.indexOf(directory);
    const volume = this.#volumes[index];
    if (volume?.use.state !== 'leaving') return;
    this.#takenOut.push({ addresses: ownedAddressesOf(volume) });
    this.#volumes.splice(index, 1);
    this.#directories.splice(index, 1);
    await closeVolume(volume);
  }

  /** The storage that has a record of the address, a tombstone included. */
  #holderOf(address: string): Volume | undefined {
    const holder = this.#volumes.find((volume) => hasAccount(volume, address));
    if (holder === undefined) this.#demandHere(address);
    if (holder?.use.state === 'leaving') throw notHereForNow();
    return holder;
  }

  /** @throws Failure('storage-failure') when the address belongs to a storage that is taken out: nobody may take it for unknown */
  #demandHere(address: string): void {
    if (this.#takenOut.some(({ addresses }) => addresses.has(address))) throw notHereForNow();
  }

  /** The same for all processes, so that two that make one account at once meet in one storage. @throws Failure('storage-full') when none is for the domain */
  #placeFor(address: string): Volume {
    const allowed = this.#domains?.storagesOf(address);
    const isFor = (directory: string): boolean => allowed?.includes(directory) ?? !this.#attached.includes(directory);
    const volumes = this.#volumes.filter(({ use }, index) => use.state === 'open' && isFor(this.#directories[index] ?? ''));
    const volume = volumes[hash('sha256', address, 'buffer').readUInt32LE(0) % volumes.length];
    if (volume === undefined) throw new Failure('storage-full', 'this node has none of the storages that the domain may use');
    return volume;
  }
}

/** Of an account that was made anew while its storage was away only one can be opened: somebody has to know. */
function tellTwice(volumes: readonly Volume[], { directories, attached = [], log }: StorageOptions): void {
  for (const [index, volume] of volumes.entries()) {
    if (!attached.includes(directories[index] ?? '')) continue;
    const twice = liveAddresses(volume).filter((address) => volumes.some((other) => other !== volume && findAccount(other, address).at === 'live'));
    if (twice.length > 0) log.error({ alert: 'account-in-two-storages', directory: directories[index], accounts: twice.slice(0, 20), count: twice.length }, 'accounts of an attached storage are in another storage of this node, too');
  }
}
