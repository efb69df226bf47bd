/**
 * Keeps commits and openings of an environment apart: LMDB, as it opens a file, reads which commit is the last and tells all processes a little later, without a lock (see
 * last-commit.ts), so what is committed in between would be hidden from readers and writers. Any number of commits pass at the same time, an opening is alone. The lock is SQLite's on
 * a small file, a record lock of the operating system as those of folders are (shared/base/folder-lock.ts): it goes with its process.
 */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../shared/base/failure.ts';
import { lockAlone } from '../../shared/base/folder-lock.ts';

export const gateFile = 'commits.lock';

/** How long an opening waits for commits that are under way, milliseconds: such as hang on their disk. */
const patienceMs = 30_000;
/** How long a commit waits before it looks again whether the opening is done, milliseconds: that takes one or two. */
const pauseMs = 2;
/** For so long commits may follow one another that overlap, milliseconds: an opening waits for a moment without any. */
const mostTogetherMs = 20;

/** How many environments this process has open, by their real path: to open one of them again is nothing to LMDB, whose binding shares it. */
const openHere = new Map<string, number>();

/** Of one open environment. */
export class CommitGate {
  readonly #path: string;
  readonly #file: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #look: StatementSync;
  readonly #end: StatementSync;
  #inside = 0;
  #sinceMs = 0;

  /** Only while no other process opens the environment. */
  constructor(path: string) {
    this.#path = realpathSync(path);
    this.#file = new DatabaseSync(join(path, gateFile), { timeout: 0 });
    [this.#begin, this.#look, this.#end] = [this.#file.prepare('BEGIN'), this.#file.prepare('SELECT 1 FROM sqlite_master'), this.#file.prepare('COMMIT')];
    openHere.set(this.#path, (openHere.get(this.#path) ?? 0) + 1);
  }

  /** Runs `commit` while no other process opens the environment. */
  async through<T>(commit: () => Promise<T>): Promise<T> {
    while (!this.#enter()) await sleep(pauseMs);
    try {
      return await commit();
    } finally {
      this.#leave();
    }
  }

  close(): void {
    if (!this.#file.isOpen) return; // closed a second time
    this.#file.close();
    const left = (openHere.get(this.#path) ?? 0) - 1;
    if (left > 0) openHere.set(this.#path, left);
    else openHere.delete(this.#path);
  }

  #enter(): boolean {
    if (this.#inside > 0 && performance.now() - this.#sinceMs > mostTogetherMs) return false;
    if (this.#inside === 0) {
      if (!this.#takeShared()) return false;
      this.#sinceMs = performance.now();
    }
    this.#inside += 1;
    return true;
  }

  #leave(): void {
    this.#inside -= 1;
    if (this.#inside === 0) this.#end.run();
  }

  /** A transaction that has read holds the shared lock to its end. */
  #takeShared(): boolean {
    this.#begin.run();
    try {
      this.#look.get();
      return true;
    } catch (error) {
      this.#end.run();
      if (isBusy(error)) return false;
      throw error;
    }
  }
}

/** Runs `open` while no other process commits. Throws `storage-failure` when commits take too long. */
export function betweenCommits<T>(path: string, open: () => T): T {
  if (openHere.has(realpathSync(path))) return open();
  const lock = lockAlone(join(path, gateFile), patienceMs, (cause) => new Failure('storage-failure', `a commit of another process in ${path} takes too long`, { cause }));
  try {
    return open();
  } finally {
    lock.release();
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5; // SQLITE_BUSY
}
