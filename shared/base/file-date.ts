/** Dates of files that are compared with those of others: when one was written, and how one of a time to come is put right. */
import { statSync, utimesSync } from 'node:fs';
import { Failure } from './failure.ts';

/** Files bear the time of the kernel's last tick, and parts of a millisecond: what is less ahead than this is now. */
const nowMs = 1000;

/** When the file was written last, milliseconds since 1970; undefined: there is none. */
export function writtenAtMs(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

/**
 * Dates the file now if it bears a time to come, as the clock was set back since: until that time has come nothing could be written later.
 * @throws Failure('storage-failure') where its date can't be changed: what would be written later is not known then
 */
export function dateInPast(path: string): void {
  const writtenMs = writtenAtMs(path);
  const now = new Date();
  if (writtenMs === undefined || writtenMs < now.getTime() + nowMs) return;
  try {
    utimesSync(path, now, now);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure('storage-failure', `${path} bears a time to come (${new Date(writtenMs).toISOString()}), as the clock was set back since, and can't be dated anew (${why}): see that the node's user owns it and may write there, or say as its owner: touch ${path}`, { cause: error });
  }
}
