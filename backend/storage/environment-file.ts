/**
 * The files of an environment: how a new one comes to be, and that one process at a time opens it. LMDB and its binding are
 * made for processes that share an environment, but their beginnings are delicate: the region of locks is set up by who
 * comes first, tables are made by commits, and the binding tells environments of one process apart by inode alone.
 */
import { existsSync, linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../shared/base/failure.ts';
import { lockAlone } from '../../shared/base/folder-lock.ts';
import type { FolderLock } from '../../shared/base/folder-lock.ts';
import { gateFile } from './commit-gate.ts';
import { flush } from './directories.ts';
import { demandHeader } from './index-header.ts';

/** The file of an environment in its directory. */
export const environmentFile = 'data.mdb';
/** Further files of an environment, which say nothing about what is in it. */
export const passingFiles = ['lock.mdb', 'opening.lock', gateFile] as const;

const draftPrefix = 'new-';
/** How long a process waits for others that open the same environment, milliseconds. */
const patienceMs = 30_000;

/**
 * Runs `action` while no other process does this for the same path. The lock is a record lock of the operating system, as
 * that of a folder (shared/base/folder-lock.ts): it goes with its process. Throws `storage-failure` when it can't be had.
 */
export function alone<T>(path: string, action: () => T): T {
  const lock = lockOf(path);
  try {
    return action();
  } finally {
    lock.release();
  }
}

/**
 * Runs `close` while no other process opens the environment at that path: LMDB destroys its locks when the last process closes it, and one that opens it
 * at that moment would have them so, and write nothing. Where the path is gone, or not to be had, it is closed all the same.
 */
export async function closeAlone(path: string, close: () => Promise<void>): Promise<void> {
  const lock = lockIfThere(path);
  try {
    await close();
  } finally {
    lock?.release();
  }
}

function lockIfThere(path: string): FolderLock | undefined {
  try {
    return lockOf(path);
  } catch {
    return undefined;
  }
}

function lockOf(path: string): FolderLock {
  return lockAlone(join(path, 'opening.lock'), patienceMs, (cause) => new Failure('storage-failure', `${path} is being opened or closed by another process for too long`, { cause }));
}

/**
 * Sees to it that the environment's file is there, whole and on stable storage. LMDB makes it under its own name at once; cut
 * off half-way, it would end every process that opens it. So `make` makes it in a folder of its own, and a copy, which
 * no environment ever was, gets the name. Only within `alone`. Throws `storage-failure` where the file that is there is no environment.
 * @param mostBytes no environment is larger
 */
export function provideFile(path: string, make: (draft: string) => void, mostBytes: number): void {
  const file = join(path, environmentFile);
  if (existsSync(file)) return demandHeader(file, mostBytes);
  for (const name of readdirSync(path)) if (name.startsWith(draftPrefix)) rmSync(join(path, name), { recursive: true }); // of those that were killed
  const draft = mkdtempSync(join(path, draftPrefix));
  make(draft);
  const copy = join(draft, 'copy');
  writeFileSync(copy, readFileSync(join(draft, environmentFile)), { mode: 0o600 }); // some pages
  flush(copy);
  linkSync(copy, file);
  flush(path);
  rmSync(draft, { recursive: true });
}
