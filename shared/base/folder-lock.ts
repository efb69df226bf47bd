/**
 * Keeps a second program out of a folder. The lock is SQLite's exclusive lock on a small file: a record lock of the
 * operating system, freed when the process dies in whatever way, so that it never goes stale as a file with a pid would.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure } from './failure.ts';

export interface FolderLock {
  release(): void;
}

/**
 * What SQLite is asked to lock its file, until the database is closed. In an empty one it begins its first page, of which it would note beside the file that there was
 * none: on a full disk it can't. Its locking mode stays the usual one: in the exclusive mode who did not get the lock keeps the shared half of it,
 * and several that wait at once keep one another from it until their patience ends.
 */
export const takeLock = 'PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE;';

/** Locks the folder (made when missing) for this process by the file named. @throws Failure('in-use') when another holds it. */
export function lockFolder(folder: string, lockFile: string): FolderLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(folder, lockFile), { timeout: 0 });
  try {
    database.exec(takeLock);
  } catch (error) {
    database.close();
    throw new Failure('in-use', `${folder} is in use by another running program`, { cause: error });
  }
  return { release: () => database.close() };
}
