/** A node's folders to back up, made up for tests: the storages of `storage` and an empty queue beside them. */
import type { TestContext } from 'node:test';
import { join } from 'node:path';
import { claimDirectory, makeBackup, openEnvironment, openPacks } from '../../../backend/storage/storage.ts';
import type { BackupRecord, KeptFolder, Storage } from '../../../backend/storage/storage.ts';
import { temporaryDirectory } from './harness.ts';

const kind = { name: 'queue', fileName: 'queue.json', format: 1 };

export interface Backups {
  readonly folder: string;
  /** Makes one of the storage. */
  make(storage: Storage, name: string): Promise<BackupRecord>;
}

export function backupsOf(t: TestContext): Backups {
  const folder = temporaryDirectory(t);
  const directory = temporaryDirectory(t);
  claimDirectory(directory, { cluster: 'test', node: 'be1' }, kind);
  const environment = openEnvironment(join(directory, 'index'));
  const packs = openPacks(join(directory, 'packs'), { environment });
  t.after(async () => {
    await packs.close();
    await environment.close();
  });
  const queue: KeptFolder = { directory, kind, environment, packs };
  return {
    folder,
    make: async (storage, name) => makeBackup({
      folder, name, queue, cluster: 'test', node: 'be1', storages: storage.care.folders(), report: () => undefined, signal: new AbortController().signal,
    }),
  };
}
