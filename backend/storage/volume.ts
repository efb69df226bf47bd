/** One storage of a node: a directory with an index and packs, and what all work in it needs. */
import { join } from 'node:path';
import { Failure } from '../../shared/base/failure.ts';
import type { HintBus } from '../../shared/service/service.ts';
import { ArrivalBatches } from './arrival-batches.ts';
import { openIndexed, wayOutOf } from './lost-index.ts';
import { openEnvironment } from './environment.ts';
import type { Environment } from './environment.ts';
import type { AccountBounds, AccountLimits, DeliveryRecords } from './interface.ts';
import { FreeSpace } from './free-space.ts';
import { gatheredTables, openTables, storageTables } from './keys.ts';
import type { Tables } from './keys.ts';
import { MessageStore } from './message-store.ts';
import { openPacks } from './open-packs.ts';
import { RecentMarks } from './recent-marks.ts';
import { UidLists } from './uid-lists.ts';
import type { Packs } from './packs.ts';

/** What all storages of a process have in common. */
export interface VolumeOptions {
  readonly hints: HintBus;
  readonly reserveBytes: number;
  /** What an account of that address may hold, where nothing is set for the account itself. */
  readonly limitsOf: (address: string) => AccountLimits;
  readonly bounds: AccountBounds;
  /** Whether a change of flags may be kept beside the rows: only where no older program, which would not see it, can have the storage open. Not when absent. */
  readonly flagRecords?: FlagRecords;
}

export type FlagRecords = 'kept' | 'not kept';

export interface Volume extends VolumeOptions {
  /** Which of all openings of storages by this process it is: a storage that was taken out may have been restored from a backup meanwhile, and give UIDs again. */
  readonly opening: number;
  readonly environment: Environment;
  readonly tables: Tables;
  readonly packs: Packs;
  readonly messages: MessageStore;
  readonly arrivals: ArrivalBatches;
  readonly space: FreeSpace;
  readonly uidLists: UidLists;
  readonly recentMarks: RecentMarks;
  /** `leaving`: it is being taken out. Nobody begins anything in it, and who works in it ends. Its files may be closed already. */
  readonly use: { state: 'open' | 'leaving' };
}

let openings = 0;

/** Opens the storage in `directory`. Throws `storage-failure`. */
export function openVolume(directory: string, options: VolumeOptions): Volume {
  return openIndexed(directory, wayOutOf(directory, 'storage'), () => openVolumeOf({ index: join(directory, 'index'), packs: join(directory, 'packs') }, options));
}

/** One whose index may be anywhere, and new. Throws `storage-failure`. */
export function openVolumeOf(folders: { readonly index: string; readonly packs: string }, options: VolumeOptions): Volume {
  const environment = openEnvironment(folders.index, storageTables, gatheredTables);
  const tables = openTables(environment);
  const packs = openPacks(folders.packs, { environment });
  return { ...options, opening: ++openings, environment, tables, packs, messages: new MessageStore(tables, packs), arrivals: new ArrivalBatches(), space: new FreeSpace(folders.packs, options.reserveBytes), uidLists: new UidLists(), recentMarks: new RecentMarks(environment, tables), use: { state: 'open' } };
}

/** The records that processing keeps in this storage. */
export function deliveryRecordsOf({ environment, tables }: Volume): DeliveryRecords {
  return {
    read: (action) => environment.read(() => action(tables.deliveries)),
    write: (action) => environment.write(() => action(tables.deliveries)),
    writeAlong: (action) => environment.writeAlong(() => action(tables.deliveries)),
    hurry: () => environment.hurry(),
  };
}

/** What those hear who come for an account of a storage that is `leaving`, or gone. */
export function notHereForNow(): Failure {
  return new Failure('storage-failure', 'the storage of this account is taken out for the time being');
}

/** Finishes the packs and closes the index. */
export async function closeVolume(volume: Volume): Promise<void> {
  try {
    await volume.packs.close();
  } finally {
    await volume.environment.close();
  }
}
