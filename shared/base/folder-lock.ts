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
const takeLock = 'PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE;';

/** Locks the folder (made when missing) for this process by the file named. @throws Failure('in-use') when another holds it. */
export function lockFolder(folder: string, lockFile: string): FolderLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return lockAlone(join(folder, lockFile), 0, (cause) => new Failure('in-use', `${folder} is in use by another running program`, { cause }));
}

/**
 * Takes the lock on that file (made when missing); where another holds it the whole process waits.
 * @param complaint what is thrown after so many milliseconds in vain
 */
export function lockAlone(file: string, patienceMs: number, complaint: (cause: unknown) => Failure): FolderLock {
  const database = new DatabaseSync(file, { timeout: patienceMs });
  try {
    database.exec(takeLock);
  } catch (error) {
    database.close();
    throw complaint(error);
  }
  return { release: () => database.close() };
}
