/**
 * Storages that this node has had before. One that is not in its folder now is not begun anew: its disk may only not be mounted, and users would see
 * empty mailboxes, and get new mail there. Who knows that it is gone for good says so (`waybill storage lost`), by a mark in the folder itself: it is not seen once the disk is there again.
 * Nor is another storage opened in its place, or a copy of it that is older than the last start: who means it says so, too (`waybill storage accept`).
 */
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { Failure } from '../shared/base/failure.ts';
import { isDiskFull } from '../shared/base/full-disk.ts';
import type { Logger } from '../shared/log/log.ts';
import { acceptedMark, lostMark } from './declared-marks.ts';
import type { KeptPlaces } from './queue-directory.ts';
import { storageDirectoriesOf, storageListFolder, storageMemory } from './storage-directories.ts';
import { flush } from './storage/directories.ts';
import { countStart, identityOf } from './storage/directory-record.ts';
import { dateKnownInPast, knownAtMs, knownIdentity, noteKnown } from './storage/storage-list.ts';

/** Before anything is made in their folders. @throws Failure('storage-failure') that names the folder of one that the node has had and that is not there, or not as it was */
export function demandKnownStorages(config: KeptPlaces): void {
  const { open, attached, joining } = storageDirectoriesOf(config);
  for (const directory of open) dateKnownInPast(storageListFolder(config), directory); // of all before any is refused: what is declared after that counts
  for (const directory of open) {
    if (isDeclared(lostMark, config, directory)) continue; // first: a worker that begins it removes the mark last
    if (isStorage(directory)) {
      // One that is taken in was asked for, whatever was there before.
      if (!joining.some((one) => one.directory === directory)) demandSame(config, directory);
    } else if (attached.includes(directory) || knownAtMs(storageListFolder(config), directory) !== undefined) throw notThere(directory);
  }
}

/** Of those that were attached: in the folders of the others the node begins anew. */
export function forgetLostStorages(config: KeptPlaces): void {
  for (const directory of storageDirectoriesOf(config).attached) if (isDeclared(lostMark, config, directory) && !isStorage(directory)) storageMemory(config).forget(directory);
}

/**
 * A copy that is made of one of them before now is an older one from now on. For the node's first process, which holds them. A disk that is full keeps no
 * node from starting, since mail could not be read or removed: then such a copy is not told from the original.
 */
export function countStarts(config: KeptPlaces, log: Logger): void {
  const list = storageListFolder(config);
  for (const directory of storageDirectoriesOf(config).open) {
    if (!isStorage(directory)) continue;
    tellAccepted(config, directory, log);
    try {
      countStart(directory, knownIdentity(list, directory)?.starts ?? 0);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      log.warn({ err: error, directory }, 'the disk of a storage is full: this start is not counted, and a copy that was made since the last one will not be told from the storage itself');
    }
  }
}

/** From now on they have to be there; on stable storage when it returns. Of one that is noted already a full disk only keeps it from being said which start it was. @param opened their folders */
export function noteKnownStorages(config: KeptPlaces, opened: readonly string[], log: Logger): void {
  const list = storageListFolder(config);
  for (const directory of opened) {
    try {
      noteKnown(list, directory);
    } catch (error) {
      if (!isDiskFull(error) || !isNoted(list, directory)) throw error;
      log.warn({ err: error, directory }, 'the disk of the queue is full: that a storage was opened is not noted');
      continue; // marks that are there count until it is
    }
    for (const mark of [lostMark, acceptedMark]) rmSync(join(directory, mark), { force: true });
  }
}

function isNoted(list: string, directory: string): boolean {
  const known = knownIdentity(list, directory);
  return known !== undefined && known.id === identityOf(directory)?.id;
}

/**
 * The node that had a storage or its queue there may begin an empty one in the folder. Which folders a node has had is not asked: its configuration may be on the disk that is gone.
 * @throws Failure('bad-input') where there is something of either, and where there is no such folder: a slip of the pen would be taken for done
 */
export function markLost(directory: string): void {
  if (!isFolder(directory)) throw new Failure('bad-input', `there is no folder ${directory}: give its whole path as the node named it; if the folder is gone, too, make it first, as the node's user: mkdir -p ${directory}`);
  const left = ['storage.json', 'queue.json', 'index', 'packs'].find((name) => existsSync(join(directory, name)));
  if (left !== undefined) throw new Failure('bad-input', `${directory} is not lost: it has ${left}. See waybill storage repair`);
  declare(lostMark, directory);
}

/** The node may go on with the storage that is in the folder, whatever it has had there before. @throws Failure('bad-input') where there is none */
export function markAccepted(directory: string): void {
  if (!isStorage(directory)) throw new Failure('bad-input', `${directory} is no storage: it has no storage.json`);
  declare(acceptedMark, directory);
}

function declare(mark: string, directory: string): void {
  writeFileSync(join(directory, mark), '', { mode: 0o600, flush: true });
  flush(directory);
}

function isFolder(path: string): boolean {
  return isAbsolute(path) && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isStorage(directory: string): boolean {
  return existsSync(join(directory, 'storage.json'));
}

/** A mark from before the storage was open the last time was a mistake, or lay below its disk. */
function isDeclared(mark: string, config: KeptPlaces, directory: string): boolean {
  const knownMs = knownAtMs(storageListFolder(config), directory) ?? 0;
  const found = statSync(join(directory, mark), { throwIfNoEntry: false });
  return found !== undefined && found.mtimeMs > knownMs;
}

/** @throws Failure('storage-failure') where another storage is in the folder than before, or an older state of it */
function demandSame(config: KeptPlaces, directory: string): void {
  if (isDeclared(acceptedMark, config, directory)) return; // first: a worker that opens it removes the mark when it has noted what it opened
  const found = comparedWithKnown(config, directory);
  const wayOut = `if it is meant to be there, say so as the node's user: waybill storage accept ${directory}`;
  if (found === 'another') throw new Failure('storage-failure', `${directory} has another storage than this node has had there: is the right disk mounted? Mount it; ${wayOut}`);
  if (found === 'older') throw new Failure('storage-failure', `${directory} has an older copy of the storage than this node has had there: mail that came since would be missing. Mount the disk with the latest state; ${wayOut}`);
}

/** The storage that is in the folder now, beside the one that the node has had there last. What earlier versions noted says nothing. */
function comparedWithKnown(config: KeptPlaces, directory: string): 'same' | 'another' | 'older' {
  const known = knownIdentity(storageListFolder(config), directory);
  if (known === undefined) return 'same';
  const found = identityOf(directory);
  if (found !== undefined && found.id !== known.id) return 'another';
  return found === undefined || found.starts < known.starts ? 'older' : 'same';
}

/** Who misses mail afterwards finds in the log why, and since when. */
function tellAccepted(config: KeptPlaces, directory: string, log: Logger): void {
  const accepted = statSync(join(directory, acceptedMark), { throwIfNoEntry: false });
  if (accepted === undefined || !isDeclared(acceptedMark, config, directory)) return;
  const found = comparedWithKnown(config, directory);
  if (found === 'same') return;
  const openedMs = knownAtMs(storageListFolder(config), directory);
  const when = { acceptedAt: accepted.mtime.toISOString(), ...(openedMs === undefined ? {} : { lastOpenedAt: new Date(openedMs).toISOString() }) };
  log.warn({ directory, ...when }, found === 'older'
    ? 'the node goes on with an older copy of this storage, as waybill storage accept said: what came since the copy was made is missing'
    : 'the node goes on with another storage than it has had in this folder, as waybill storage accept said');
}

function notThere(directory: string): Failure {
  return new Failure('storage-failure', `${directory} has no storage (no storage.json), though this node has had one there: is its disk mounted? Mount it; if it is gone for good, with its mail, say so as the node's user: waybill storage lost ${directory}`);
}
