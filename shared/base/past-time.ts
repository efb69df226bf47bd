/** Times of files that are compared with those of others. */
import { statSync, utimesSync } from 'node:fs';

/** Files bear the time of the kernel's last tick, and parts of a millisecond: what is less ahead than this is now. */
const nowMs = 1000;

/**
 * When the file was written last, milliseconds since 1970; undefined: there is none. One that bears a time to come, as the clock was set back since, is dated
 * now: nothing could be written later until that time has come.
 */
export function pastTimeMs(path: string): number | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  const now = new Date();
  if (found === undefined || found.mtimeMs < now.getTime() + nowMs) return found?.mtimeMs;
  utimesSync(path, now, now);
  return now.getTime();
}
