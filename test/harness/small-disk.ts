/** A disk of its own for a test, small enough to be filled to its last byte: a file system in memory. It says why there can be none here, if there can't. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { cageProblem } from './no-writing.ts';

export class SmallDisk {
  readonly folder: string;
  readonly #ballast: string;

  /** @param folder made when it is missing; what is in it is not seen until `remove` */
  constructor(folder: string, kilobytes: number) {
    this.folder = folder;
    this.#ballast = join(folder, 'ballast');
    mkdirSync(folder, { recursive: true });
    run('mount', '-t', 'tmpfs', '-o', `size=${String(kilobytes)}k`, 'none', folder);
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.folder);
    return bavail * bsize;
  }

  /** Until not one byte more can be written. */
  fill(): void {
    const file = openSync(this.#ballast, 'a');
    try {
      for (;;) writeSync(file, Buffer.alloc(4096));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    } finally {
      closeSync(file);
    }
  }

  /** So much is free, from then on. Only of one that was filled. */
  leave(bytes: number): void {
    truncateSync(this.#ballast, Math.max(0, statSync(this.#ballast).size + this.freeBytes - bytes));
  }

  /** There is room again. */
  empty(): void {
    rmSync(this.#ballast);
  }

  /** All that is on it is gone. Nobody may have files of it open. */
  remove(): void {
    run('umount', this.folder);
  }
}

/** Why there can be none here; undefined when there can. */
export function smallDiskProblem(): string | undefined {
  return cageProblem();
}

function run(program: string, ...words: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program}: ${error?.message ?? stderr}`);
}
