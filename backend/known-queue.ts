/**
 * The queue that this node has had before. It may hold mail that was accepted, and the notes on storages lie beside it; so where it is missing
 * the node does not begin an empty one: its disk may only not be mounted. That it had one is noted in its storages, which may be on other disks.
 */
import { existsSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../shared/base/failure.ts';
import { dateInPast, writtenAtMs } from '../shared/base/file-date.ts';
import type { Logger } from '../shared/log/log.ts';
import { lostMark } from './declared-marks.ts';
import { queueDirectoryOf } from './queue-directory.ts';
import type { KeptPlaces } from './queue-directory.ts';

const noteName = 'queue-of-node.json';
const noteSchema = z.object({ node: z.string(), directory: z.string() });

/** Before anything is made in its folder. @throws Failure('storage-failure') that names the folder of a queue that the node has had and that is not there */
export function demandKnownQueue(config: KeptPlaces): void {
  const queue = queueDirectoryOf(config);
  const mark = statSync(join(queue, lostMark), { throwIfNoEntry: false });
  const { directories } = config.storage;
  for (const directory of directories) if (isNoteOfThis(config, directory)) dateInPast(join(directory, noteName)); // of all, before one is missed: a mark that is set after that counts
  const noted = directories.find((directory) => {
    const notedMs = notedAtMs(config, directory);
    return notedMs !== undefined && (mark === undefined || mark.mtimeMs <= notedMs);
  });
  if (noted === undefined || isQueue(queue)) return; // in this order: another worker may begin it meanwhile, and notes it then
  throw new Failure('storage-failure', `${queue} has no queue (no queue.json), though this node has had one there, as ${join(noted, noteName)} says: is its disk mounted? Mount it; if it is gone for good, with the mail that waited there, say so as the node's user: waybill storage lost ${queue}`);
}

/** Also one that lacks something: what is wrong with it, or that it can be used all the same, is seen when it is opened. */
function isQueue(directory: string): boolean {
  return ['queue.json', 'index', 'packs'].some((name) => existsSync(join(directory, name)));
}

/** The queue is there, and from now on it has to be. What can't be written (a disk that is full) keeps nobody from working: the next start tries again. @param opened folders of storages */
export function noteKnownQueue(config: KeptPlaces, opened: readonly string[], log: Logger): void {
  const queue = queueDirectoryOf(config);
  for (const directory of opened) {
    const path = join(directory, noteName);
    try {
      if (notedAtMs(config, directory) === undefined) writeFileSync(path, JSON.stringify({ node: config.nodeName, directory: queue }), { mode: 0o600, flush: true });
      else utimesSync(path, new Date(), new Date());
    } catch (error) {
      log.warn({ err: error, directory }, 'where the queue is could not be noted in a storage');
    }
  }
  rmSync(join(queue, lostMark), { force: true });
}

/** When it was noted last that this node has its queue where it is to be now; undefined: never, or of another place or node. */
function notedAtMs(config: KeptPlaces, directory: string): number | undefined {
  return isNoteOfThis(config, directory) ? writtenAtMs(join(directory, noteName)) : undefined;
}

function isNoteOfThis(config: KeptPlaces, directory: string): boolean {
  const path = join(directory, noteName);
  if (!existsSync(path)) return false;
  const { node, directory: queue } = readNote(path);
  return node === config.nodeName && queue === queueDirectoryOf(config);
}

/** A note that can't be read keeps no node from starting: it guards against an oversight. */
function readNote(path: string): Partial<z.output<typeof noteSchema>> {
  try {
    return noteSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return {};
  }
}
