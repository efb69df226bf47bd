/** What a storage and a queue have in common for who copies, locks or checks them: a folder with an index, packs and a record of whose it is. */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from './directories.ts';
import type { DirectoryKind } from './directory-record.ts';
import { passingFiles } from './environment-file.ts';
import { openEnvironment } from './environment.ts';
import type { Environment } from './environment.ts';
import { freeBytes } from './free-space.ts';
import { namingDamage } from './lost-index.ts';
import type { Packs } from './packs.ts';
import { Failure } from '../../shared/base/failure.ts';
import { isAlive, thisProcess } from '../../shared/base/process-identity.ts';

export interface KeptFolder {
  readonly directory: string;
  readonly kind: DirectoryKind;
  readonly environment: Environment;
  readonly packs: Packs;
}

/** Runs `action` while no pack is removed. Throws as it does; where LMDB can't read the index, `storage-failure` that says so. */
export async function holdingPacks<T>(kept: KeptFolder, action: () => Promise<T>): Promise<T> {
  try {
    const letGo = await kept.packs.hold();
    try {
      return await action();
    } finally {
      await letGo();
    }
  } catch (error) {
    throw namingDamage(error, kept);
  }
}

/** A copy of the index as of one commit, and all packs that it names, for as long as `release` was not called. */
export interface FrozenIndex {
  readonly environment: Environment;
  release(): Promise<void>;
}

/**
 * Copies the index to `into` (an `index` folder that is not there yet) and keeps the packs that the copy names from being
 * removed. Packs only grow, and what an index names was flushed before: so copy and packs together are the storage of one
 * moment, while everybody goes on writing.
 */
export async function freeze({ environment, packs }: Pick<KeptFolder, 'environment' | 'packs'>, into: string): Promise<FrozenIndex> {
  const letGo = await packs.hold();
  try {
    await environment.copyTo(into);
    const copy = openEnvironment(into);
    return {
      environment: copy,
      release: async () => {
        await copy.close();
        for (const name of passingFiles) rmSync(join(into, name), { force: true });
        await letGo();
      },
    };
  } catch (error) {
    await letGo();
    throw error;
  }
}

/** Locks and folders, bytes. */
const besideCopies = 256 * 1024;

/** @throws Failure('storage-full') before anything is written: a copy of an index that breaks off would have filled the disk */
export async function demandRoom(directory: string, copiedBytes: number): Promise<void> {
  const bytes = copiedBytes + besideCopies;
  const free = await freeBytes(directory);
  if (free < bytes) throw new Failure('storage-full', `a copy of the index of ${directory} needs ${String(bytes)} bytes beside it, and ${String(free)} are free on its disk: nothing was changed`);
}

const scratchPrefix = 'scratch-';

/** A folder inside `directory` for what is not kept; `remove` it. Those that dead processes left are removed on the way. */
export function makeScratch(directory: string): { readonly path: string; remove(): void } {
  for (const name of readdirSync(directory)) if (name.startsWith(scratchPrefix)) removeIfLeft(join(directory, name));
  const path = join(directory, `${scratchPrefix}${randomBytes(6).toString('hex')}`);
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  try {
    makeDirectory(path);
    writeFileSync(join(path, 'process'), thisProcess());
  } catch (error) {
    remove(); // as it says of nobody whose it is, nobody else would
    throw error;
  }
  return { path, remove };
}

function removeIfLeft(path: string): void {
  const file = join(path, 'process');
  const owner = existsSync(file) ? readFileSync(file, 'utf8') : ''; // empty: made, or being removed, at this moment
  if (owner !== '' && !isAlive(owner)) rmSync(path, { recursive: true, force: true });
}
