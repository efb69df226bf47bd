/** Storages of a back-end over the admin API: how they are, locked for a snapshot, checked. */
import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { storageOperations } from '../../cluster-config/admin/contract/storages.ts';
import type { storageSchema } from '../../cluster-config/admin/contract/storages.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { KeptFolder, LockEnd, Storage } from '../storage/storage.ts';
import { checksOf } from './check-views.ts';
import type { Jobs } from './jobs.ts';

export interface StorageView {
  readonly storage: Storage;
  readonly reserveBytes: number;
}

export interface StorageGround extends StorageView {
  readonly queue: KeptFolder;
  readonly jobs: Jobs;
  /** How long a lock holds when nobody says. */
  readonly lockSeconds: number;
}

export type DescribedStorage = z.input<typeof storageSchema>;

export function storageHandlers(ground: StorageGround): readonly Handled[] {
  const { storage, queue, jobs, lockSeconds } = ground;
  return [
    handled(storageOperations.listStorages, async () => ({ storages: await describeStorages(ground) })),
    handled(storageOperations.checkStorages, async ({ body, reply }) => {
      reply.note({ ...body });
      const folders = storage.care.folders().filter(({ directory }) => body.directory === undefined || directory === body.directory);
      if (folders.length === 0) throw new Failure('bad-input', `this node has no storage ${body.directory ?? ''}`);
      return jobs.begin({ kind: 'check', subject: body.directory ?? 'storages', work: async (job) => checksOf(folders, job) });
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

/** As they are now. */
export async function describeStorages(view: StorageView): Promise<DescribedStorage[]> {
  return Promise.all(view.storage.care.folders().map(async (folder) => describe(view, folder)));
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
