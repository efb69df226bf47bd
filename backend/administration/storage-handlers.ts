/** Storages of a back-end as the admin API tells of them. */
import { statfs } from 'node:fs/promises';
import { storageOperations } from '../../cluster-config/admin/contract/storages.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import type { Storage } from '../storage/storage.ts';

export type DescribedStorage = { directory: string; state: 'ok' | 'low' | 'failed'; reason?: string; totalBytes?: number; freeBytes?: number; accounts?: number; mailBytes?: number };

export interface StorageGround {
  readonly storage: Storage;
  readonly directories: readonly string[];
  readonly reserveBytes: number;
}

export function storageHandlers(ground: StorageGround): readonly Handled[] {
  return [handled(storageOperations.listStorages, async () => ({ storages: await describeStorages(ground) }))];
}

/** As they are now. */
export async function describeStorages({ storage, directories, reserveBytes }: StorageGround): Promise<DescribedStorage[]> {
  return Promise.all(directories.map(async (directory) => describe(storage, directory, reserveBytes)));
}

async function describe(storage: Storage, directory: string, reserveBytes: number): Promise<DescribedStorage> {
  try {
    const { bavail, blocks, bsize } = await statfs(directory);
    const use = storage.volumes().find((volume) => volume.directory === directory);
    const freeBytes = bavail * bsize;
    return { directory, state: freeBytes < reserveBytes ? 'low' : 'ok', totalBytes: blocks * bsize, freeBytes, accounts: use?.accounts ?? 0, mailBytes: use?.bytes ?? 0 };
  } catch (error) {
    return { directory, state: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}
