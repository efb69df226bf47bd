/** A process that takes care of a storage under torture: `node care-worker.ts '<CareTask as JSON>'` compacts it, or repairs it. */
import { createLog } from '../../shared/log/log.ts';
import { compactStorage, openStorage } from '../../backend/storage/storage.ts';
import { tortureOptions } from './mail-storage.ts';

export interface CareTask {
  readonly directory: string;
  readonly work: 'compact' | 'repair';
}

const task = JSON.parse(process.argv[2] ?? '{}') as CareTask;
const quiet = { report: () => undefined, signal: new AbortController().signal };

const storage = await openStorage(tortureOptions(task.directory, createLog({ node: 'be1', level: 'silent' })));
try {
  if (task.work === 'repair') await storage.care.repair(task.directory, { ...quiet, lost: 'keep' });
  else {
    for (const folder of storage.care.folders()) await compactStorage(folder, { ...quiet, deadPercent: 1, bytesPerSecond: 2 ** 30 });
    await storage.removeDeadPacks(0);
  }
} finally {
  await storage.close();
}
