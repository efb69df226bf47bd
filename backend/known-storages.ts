/**
 * Storages that this node has had before. One that is not in its folder now is not begun anew: its disk may only not be mounted, and users would see
 * empty mailboxes, and get new mail there. Who knows that it is gone for good says so (`waybill storage lost`), by a mark in the folder itself: it is not seen once the disk is there again.
 */
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../shared/base/failure.ts';
import { lostMark } from './lost-mark.ts';
import type { KeptPlaces } from './queue-directory.ts';
import { storageDirectoriesOf, storageListFolder, storageMemory } from './storage-directories.ts';
import { flush, makeDirectory } from './storage/directories.ts';
import { knownAtMs, noteKnown } from './storage/storage-list.ts';

/** Before anything is made in their folders. @throws Failure('storage-failure') that names the folder of one that the node has had and that is not there */
export function demandKnownStorages(config: KeptPlaces): void {
  const { open, attached } = storageDirectoriesOf(config);
  for (const directory of open) {
    if (isDeclaredLost(config, directory) || isStorage(directory)) continue; // in this order: a worker that begins it removes the mark last
    if (attached.includes(directory) || knownAtMs(storageListFolder(config), directory) !== undefined) throw notThere(directory);
  }
}

/** Of those that were attached: in the folders of the others the node begins anew. */
export function forgetLostStorages(config: KeptPlaces): void {
  for (const directory of storageDirectoriesOf(config).attached) if (isDeclaredLost(config, directory) && !isStorage(directory)) storageMemory(config).forget(directory);
}

/** From now on they have to be there; on stable storage when it returns. @param opened their folders */
export function noteKnownStorages(config: KeptPlaces, opened: readonly string[]): void {
  for (const directory of opened) {
    noteKnown(storageListFolder(config), directory);
    rmSync(join(directory, lostMark), { force: true });
  }
}

/** The node that had a storage or its queue there may begin an empty one in the folder, which is made when it is missing. @throws Failure('bad-input') where there is something of either */
export function markLost(directory: string): void {
  const left = ['storage.json', 'queue.json', 'index', 'packs'].find((name) => existsSync(join(directory, name)));
  if (left !== undefined) throw new Failure('bad-input', `${directory} is not lost: it has ${left}. See waybill storage repair`);
  makeDirectory(directory);
  writeFileSync(join(directory, lostMark), '', { mode: 0o600, flush: true });
  flush(directory);
}

function isStorage(directory: string): boolean {
  return existsSync(join(directory, 'storage.json'));
}

/** A mark from before the storage was open the last time lay below its disk: it was a mistake. */
function isDeclaredLost(config: KeptPlaces, directory: string): boolean {
  const mark = statSync(join(directory, lostMark), { throwIfNoEntry: false });
  return mark !== undefined && mark.mtimeMs > (knownAtMs(storageListFolder(config), directory) ?? 0);
}

function notThere(directory: string): Failure {
  return new Failure('storage-failure', `${directory} has no storage (no storage.json), though this node has had one there: is its disk mounted? Mount it; if it is gone for good, with its mail, say so as the node's user: waybill storage lost ${directory}`);
}
