/** Takes care of a storage under torture: compacts it, or repairs it. */
import { createLog } from '../../shared/log/log.ts';
import { compactStorage, openStorage } from '../../backend/storage/storage.ts';
import { tortureOptions } from './mail-storage.ts';

export interface CareTask {
  readonly directory: string;
  readonly work: 'compact' | 'repair';
}

/** Compaction copies all that lives in packs that nobody writes, be anything dead in them or not: so there is always something to do. */
const deadPercent = 0;

export async function takeCare({ directory, work }: CareTask): Promise<void> {
  const quiet = { report: () => undefined, signal: new AbortController().signal };
  const storage = await openStorage(tortureOptions(directory, createLog({ node: 'be1', level: 'silent' })));
  try {
    if (work === 'repair') {
      await storage.care.repair(directory, { ...quiet, lost: 'keep' });
      return;
    }
    for (const folder of storage.care.folders()) await compactStorage(folder, { ...quiet, deadPercent, bytesPerSecond: 2 ** 30 });
    await storage.removeDeadPacks(0);
  } finally {
    await storage.close();
  }
}
