/** A directory whose packs have no index is never taken for a new one: mail would seem to be gone, and be written over in time. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../shared/base/failure.ts';
import { environmentFile } from './environment-file.ts';

/** Throws `storage-failure` when the directory has packs and no index: an index is made before the first pack. */
export function demandIndex(directory: string): void {
  if (existsSync(join(directory, 'index', environmentFile)) || !hasPacks(join(directory, 'packs'))) return;
  throw new Failure('storage-failure', `${directory} has packs of messages and no index: bring the index back from a backup, or make it anew from the packs`);
}

function hasPacks(packs: string): boolean {
  return existsSync(packs) && readdirSync(packs).some((name) => name.endsWith('.pack'));
}
