/** Gives the free space inside an index back to the disk: LMDB uses it again, and never makes its file smaller. */
import { renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { flush } from '../directories.ts';
import { environmentFile } from '../environment-file.ts';
import { openEnvironment } from '../environment.ts';
import type { Environment } from '../environment.ts';
import { demandRoom, makeScratch } from '../kept-folder.ts';
import { storageTables } from '../keys.ts';
import { wayOutOf, withWayOut } from '../lost-index.ts';
import { pagesOf } from '../table-pages.ts';

/** The storage must be open nowhere. A copy takes the name of the index when it is whole and on stable storage. Throws `storage-full` where it finds no room, `storage-failure`. */
export async function shrinkIndex(directory: string): Promise<{ readonly before: number; readonly after: number }> {
  return shrink(directory).catch((error: unknown) => {
    throw withWayOut(error, directory, wayOutOf(directory, 'storage'));
  });
}

async function shrink(directory: string): Promise<{ readonly before: number; readonly after: number }> {
  const index = join(directory, 'index');
  const file = join(index, environmentFile);
  await demandRoom(directory, await opened(index, async (environment) => Promise.resolve(environment.usedBytes())));
  const before = statSync(file).size;
  const scratch = makeScratch(directory);
  try {
    renameSync(join(await smallCopy(index, scratch.path), environmentFile), file);
    flush(index);
    return { before, after: statSync(file).size };
  } finally {
    scratch.remove();
  }
}

/** Answers its directory. Where LMDB can't leave out pages that are neither in use nor free, what is in the tables is copied instead: that takes the room of two copies. */
async function smallCopy(index: string, scratch: string): Promise<string> {
  const [copy, entries] = [join(scratch, 'index'), join(scratch, 'entries')];
  return opened(index, async (from) => {
    if ((await from.compactTo(copy)) === 'done') return copy;
    await demandRoom(scratch, 2 * from.usedBytes());
    await opened(entries, async (to) => copyEntries(from, to));
    await opened(entries, async (to) => to.compactTo(copy)); // without what its own commits have left free
    return copy;
  });
}

async function opened<T>(path: string, action: (environment: Environment) => Promise<T>): Promise<T> {
  const environment = openEnvironment(path);
  try {
    return await action(environment);
  } finally {
    await environment.close();
  }
}

/** All tables that an index has; the lock of writers, whose end its own time says, has nobody to keep out of a storage that is open nowhere. */
async function copyEntries(from: Environment, to: Environment): Promise<void> {
  for (const name of storageTables) {
    const table = to.table(name);
    for await (const page of pagesOf(from.table(name))) await to.write(() => page.forEach(({ key, value }) => table.insert(key, value)));
  }
}
