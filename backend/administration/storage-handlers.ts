/** Storages of a back-end over the admin API: how they are, locked for a snapshot, checked, repaired, compacted. */
import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { storageOperations } from '../../cluster-config/admin/contract/storages.ts';
import type { storageSchema } from '../../cluster-config/admin/contract/storages.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { counted } from '../../shared/base/counted.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { KeptFolder, LockEnd, Storage } from '../storage/storage.ts';
import { checksOf, repairsOf } from './check-views.ts';
import { compactionsOf, usualDeadPercent } from './compaction.ts';
import type { CompactionTerms } from './compaction.ts';
import type { Jobs } from './jobs.ts';
import type { StorageChanges } from './storage-changes.ts';
import type { StorageMemory } from './storage-list-handlers.ts';

export interface StorageView {
  readonly storage: Storage;
  readonly memory: Pick<StorageMemory, 'takenOut' | 'attached' | 'joining'>;
  readonly changes: Pick<StorageChanges, 'held'>;
  readonly reserveBytes: number;
}

export interface StorageGround extends StorageView {
  readonly queue: KeptFolder;
  readonly jobs: Jobs;
  /** How long a lock holds when nobody says. */
  readonly lockSeconds: number;
  readonly compaction: CompactionTerms;
}

export type DescribedStorage = z.input<typeof storageSchema>;

export function storageHandlers(ground: StorageGround): readonly Handled[] {
  const { storage, memory, queue, jobs, lockSeconds, compaction } = ground;
  const chosen = (directory: string | undefined): readonly KeptFolder[] => {
    const folders = storage.care.folders().filter((folder) => directory === undefined || folder.directory === directory);
    if (folders.length > 0) return folders;
    const isOut = memory.takenOut().some((out) => out.directory === directory);
    throw new Failure('bad-input', isOut ? `${directory ?? ''} is taken out of this node: attach it first` : `this node has no storage ${directory ?? ''}`);
  };
  return [
    handled(storageOperations.listStorages, async () => ({ storages: await describeStorages(ground) })),
    handled(storageOperations.checkStorages, async ({ body, reply }) => {
      reply.note({ ...body });
      const folders = body.directory === undefined ? [queue, ...chosen(undefined)] : body.directory === queue.directory ? [queue] : chosen(body.directory);
      return jobs.begin({ kind: 'check', subject: body.directory ?? 'storages', work: async (job) => checksOf(folders, job) });
    }),
    handled(storageOperations.repairStorages, async ({ body, reply }) => {
      reply.note({ ...body });
      if (body.directory === queue.directory) throw new Failure('bad-input', `${queue.directory} is the queue, which is checked and not repaired: what is not found when it is due gets its place again by waybill queue retry, what has lost its bytes goes by waybill queue delete`);
      const folders = chosen(body.directory);
      return jobs.begin({ kind: 'repair', subject: body.directory ?? 'storages', work: async (job) => repairsOf({ care: storage.care, folders }, body.lost, job) });
    }),
    handled(storageOperations.compactStorages, async ({ body, reply }) => {
      reply.note({ ...body });
      const folders = chosen(body.directory);
      const terms = { ...compaction, deadPercent: body.deadPercent ?? (compaction.deadPercent || usualDeadPercent) };
      return jobs.begin({ kind: 'compact', subject: body.directory ?? 'storages', work: async (job) => compactionsOf(folders, terms, job) });
    }),
    handled(storageOperations.lockStorages, async ({ body, reply }) => {
      const seconds = body.seconds ?? lockSeconds;
      reply.note({ seconds });
      const untilMs = Date.now() + seconds * 1000;
      const folders = [queue, ...storage.care.folders()];
      for (const { environment } of folders) await environment.lock(untilMs);
      return { until: new Date(untilMs).toISOString(), directories: folders.map(({ directory }) => directory) };
    }),
    handled(storageOperations.unlockStorages, async ({ reply }) => {
      const ends = await Promise.all([queue, ...storage.care.folders()].map(async ({ environment }) => environment.unlock()));
      const held = worst(ends);
      reply.note({ held });
      return { held };
    }),
  ];
}

/** As they are now. One that is being taken in is not in use, though this worker may have it open: others may not yet, and it may yet prove not to open. */
async function describeStorages(view: StorageView): Promise<DescribedStorage[]> {
  const takenOut = view.memory.takenOut();
  const open = view.storage.care.folders();
  const joining = view.memory.joining().map(({ directory }) => directory);
  const inUse = open.filter(({ directory }) => !joining.includes(directory) && !takenOut.some((out) => out.directory === directory));
  const held = takenOut.length === 0 ? [] : await view.changes.held();
  const files = (directory: string): string => (held.includes(directory) ? 'its files are open still' : 'its files are let go');
  const waiting = [...new Set([...joining, ...view.memory.attached()])].filter((directory) => !inUse.some((folder) => folder.directory === directory));
  return [
    ...await Promise.all(inUse.map(async (folder) => describe(view, folder))),
    ...waiting.map((directory): DescribedStorage => ({ directory, state: 'attached', reason: 'it is being taken in' })),
    ...takenOut.map(({ directory, since, addresses }): DescribedStorage => ({ directory, state: 'detached', reason: `since ${since}; ${addresses.size === 0 ? 'no address waits for it' : `its ${counted(addresses.size, 'address', 'addresses')} can not be had for the time being`}, ${files(directory)}` })),
  ];
}

/** As the daily report has them: one that is not in use wants attention. */
export async function storagesForReport(view: StorageView): Promise<(Omit<DescribedStorage, 'state'> & { readonly state: 'ok' | 'low' | 'failed' })[]> {
  const described = await describeStorages(view);
  return described.map(({ state, ...storage }) => ({ ...storage, state: state === 'ok' || state === 'low' ? state : 'failed' }));
}

/** What holds for all of them. */
function worst(ends: readonly LockEnd[]): LockEnd {
  if (ends.includes('ended')) return 'ended';
  return ends.includes('none') ? 'none' : 'held';
}

async function describe({ storage, reserveBytes }: StorageView, { directory, environment, packs }: KeptFolder): Promise<DescribedStorage> {
  try {
    const { bavail, blocks, bsize } = await statfs(directory);
    const use = storage.volumes().find((volume) => volume.directory === directory);
    const freeBytes = bavail * bsize;
    const { bytes: packBytes, liveBytes } = await packs.usage();
    const { size: indexBytes } = await stat(join(directory, 'index', 'data.mdb'));
    const lockedUntilMs = environment.lockedUntil();
    const locked = lockedUntilMs > 0 ? { lockedUntil: new Date(lockedUntilMs).toISOString() } : {};
    return { directory, state: freeBytes < reserveBytes ? 'low' : 'ok', ...locked, totalBytes: blocks * bsize, freeBytes, accounts: use?.accounts ?? 0, mailBytes: use?.bytes ?? 0, indexBytes, packBytes, liveBytes };
  } catch (error) {
    return { directory, state: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}
