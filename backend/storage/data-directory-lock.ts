/**
 * Keeps a second supervisor out of a node's data directory. The lock is SQLite's exclusive lock on a small file: a record
 * lock of the operating system, which frees it when the process dies in whatever way, which never goes stale (unlike a
 * pid file), and which holds between containers that share the directory (unlike an abstract socket).
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure } from '../../shared/base/failure.ts';
import { makeDirectory } from './directories.ts';

export interface DirectoryLock {
  release(): void;
}

/** Locks the directory (made when missing) for this process. Throws `in-use` when another process holds it. */
export function lockDataDirectory(directory: string): DirectoryLock {
  makeDirectory(directory);
  const file = new DatabaseSync(join(directory, 'supervisor.lock'), { timeout: 0 });
  try {
    file.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
  } catch (error) {
    file.close();
    throw new Failure('in-use', `${directory} is in use by another running node`, { cause: error });
  }
  return { release: () => file.close() };
}
