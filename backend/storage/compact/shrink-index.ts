/** Gives the free space inside an index back to the disk: LMDB uses it again, and never makes its file smaller. */
import { renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { flush } from '../directories.ts';
import { environmentFile } from '../environment-file.ts';
import { openEnvironment } from '../environment.ts';
import { makeScratch } from '../kept-folder.ts';

/** The storage must be open nowhere. A copy takes the name of the index when it is whole and on stable storage. Throws `storage-failure`. */
export async function shrinkIndex(directory: string): Promise<{ readonly before: number; readonly after: number }> {
  const file = join(directory, 'index', environmentFile);
  const before = statSync(file).size;
  const scratch = makeScratch(directory);
  try {
    const environment = openEnvironment(join(directory, 'index'));
    const copy = join(scratch.path, 'index');
    try {
      await environment.copyTo(copy);
    } finally {
      await environment.close();
    }
    renameSync(join(copy, environmentFile), file);
    flush(join(directory, 'index'));
    return { before, after: statSync(file).size };
  } finally {
    scratch.remove();
  }
}
