/** Which storages a back-end opens: those of its configuration and those that were attached, without those that are taken out. */
import { join } from 'node:path';
import { Failure } from '../shared/base/failure.ts';
import { thisProcess } from '../shared/base/process-identity.ts';
import { queueDirectoryOf } from './queue-directory.ts';
import type { KeptPlaces } from './queue-directory.ts';
import type { StorageMemory } from './administration/administration.ts';
import { identityOf } from './storage/directory-record.ts';
import { forgetAttached, forgetJoining, forgetKnown, forgetTakenOut, knownIdentity, noteAttached, noteJoining, noteKnown, noteTakenOut, readStorageList } from './storage/storage-list.ts';
import type { Joining, TakenOut } from './storage/storage-list.ts';

export interface StorageDirectories {
  readonly open: readonly string[];
  /** Of these, the ones that the configuration does not name. */
  readonly attached: readonly string[];
  readonly takenOut: readonly TakenOut[];
  /** Of `open`, the ones of which it is not known yet whether they can be opened. */
  readonly joining: readonly Joining[];
}

/** Where a node remembers what was attached and taken out, and what it has had. */
export function storageListFolder(config: KeptPlaces): string {
  return join(queueDirectoryOf(config), 'storages');
}

/** Throws `storage-failure` when what the node remembers is damaged. */
export function storageDirectoriesOf(config: KeptPlaces): StorageDirectories {
  const { directories } = config.storage;
  const list = readStorageList(storageListFolder(config));
  const isJoining = (directory: string): boolean => list.joining.some((one) => one.directory === directory);
  const takenOut = list.takenOut.filter(({ directory }) => !isJoining(directory));
  const isOut = (directory: string): boolean => takenOut.some((one) => one.directory === directory);
  const broughtIn = [...list.attached.filter((directory) => !isOut(directory)), ...list.joining.map(({ directory }) => directory)];
  const beside = new Set([...list.attached, ...list.joining.map(({ directory }) => directory)]);
  const attached = [...beside].filter((directory) => !directories.includes(directory) && !isOut(directory));
  const missed = takenOut.map((one) => (isElsewhere(storageListFolder(config), one.directory, broughtIn) ? { ...one, addresses: new Set<string>() } : one));
  return { open: [...directories.filter((directory) => !isOut(directory)), ...attached], attached, takenOut: missed, joining: list.joining };
}

/** Whether the storage that was there is one of those by now: then its addresses are there, and nobody waits for them at its former place. */
function isElsewhere(list: string, directory: string, broughtIn: readonly string[]): boolean {
  const known = knownIdentity(list, directory);
  return known !== undefined && broughtIn.some((other) => identityOf(other)?.id === known.id) && identityOf(directory)?.id !== known.id;
}

/** For who takes storages out and in. */
export function storageMemory(config: KeptPlaces): StorageMemory {
  const folder = storageListFolder(config);
  return {
    takenOut: () => storageDirectoriesOf(config).takenOut,
    attached: () => storageDirectoriesOf(config).attached,
    joining: () => readStorageList(folder).joining,
    join: (directory) => noteJoining(folder, { directory, process: thisProcess() }),
    giveUp: (directory) => forgetJoining(folder, directory),
    takeOut: (one) => noteTakenOut(folder, one),
    takeIn: (directory) => {
      if (!config.storage.directories.includes(directory)) noteAttached(folder, directory);
      forgetTakenOut(folder, directory);
      noteKnown(folder, directory); // whichever was there before: this one was asked for
      forgetJoining(folder, directory);
    },
    forget: (directory) => {
      if (config.storage.directories.includes(directory)) throw new Failure('bad-input', `the configuration names ${directory}: take it out of storage.directories first`);
      forgetAttached(folder, directory);
      forgetTakenOut(folder, directory);
      forgetKnown(folder, directory);
    },
  };
}
