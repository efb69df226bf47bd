/** What a node tells of its storages: sizes, free space, accounts. Sizes are read every minute at most. */
import { readdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gauge, whenMeasured } from '../../shared/metrics/metrics.ts';

const free = gauge({ name: 'waybill_storage_free_bytes', unit: 'bytes', help: 'Free space of the file system of a storage.', labels: ['storage'], combine: 'max' });
const used = gauge({ name: 'waybill_storage_size_bytes', unit: 'bytes', help: 'Files of a storage: packs of messages, index.', labels: ['storage', 'part'], combine: 'max' });
const accounts = gauge({ name: 'waybill_storage_accounts', help: 'Accounts that live on this node.', combine: 'max' });

const readEveryMs = 60_000;
/** Folders lie this deep at most. */
const deepest = 4;

/** Begins; the answer ends it. Storages are named by their place in the configuration. */
export function measureStorages(directories: readonly string[], countAccounts: () => number): () => void {
  let readAtMs = -Infinity;
  return whenMeasured(() => {
    accounts.set({}, countAccounts());
    const isDue = performance.now() - readAtMs >= readEveryMs;
    if (isDue) readAtMs = performance.now();
    for (const [place, directory] of directories.entries()) {
      const storage = String(place);
      try {
        const { bavail, bsize } = statfsSync(directory);
        free.set({ storage }, bavail * bsize);
        if (!isDue) continue;
        for (const part of readdirSync(directory, { withFileTypes: true })) if (part.isDirectory()) used.set({ storage, part: part.name }, sizeOf(join(directory, part.name), deepest));
      } catch {
        free.set({ storage }, 0); // a storage that can't be reached takes nothing
      }
    }
  });
}

function sizeOf(folder: string, depth: number): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += depth > 0 ? sizeOf(path, depth - 1) : 0;
    else bytes += (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
  }
  return bytes;
}
