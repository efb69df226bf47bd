/**
 * Copies the queue and the storages of a node while it works: of each the index as of one commit, then the packs that this
 * names. The queue comes first: what leaves it for a storage meanwhile is in both copies, and its delivery record in the
 * storage keeps it from entering twice; the other way round it could be in neither.
 */
import { constants, existsSync, linkSync, mkdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { copyFile, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../../shared/base/failure.ts';
import { isDiskFull } from '../../../shared/base/full-disk.ts';
import { flush, makeDirectory } from '../directories.ts';
import { freeze } from '../kept-folder.ts';
import type { KeptFolder } from '../kept-folder.ts';
import { packName } from '../pack-format.ts';
import { PackLedger } from '../pack-ledger.ts';
import { backupName, bytesBelow, listBackups, readBackup, unfinished, writeRecord } from './backup-record.ts';
import type { BackupPart, BackupRecord } from './backup-record.ts';

export interface BackupOrder {
  /** The folder of all backups of this node. */
  readonly folder: string;
  readonly name: string;
  readonly cluster: string;
  readonly node: string;
  readonly queue: KeptFolder;
  readonly storages: readonly KeptFolder[];
  /** Hears how far it is. */
  readonly report: (text: string, done: { readonly bytes: number; readonly of: number }) => void;
  readonly signal: AbortSignal;
}

/** Throws `bad-input` for a name that can't be one or is taken, `in-use` while it is being made, `storage-failure`, `storage-full`. */
export async function makeBackup(order: BackupOrder): Promise<BackupRecord> {
  const { folder, name, cluster, node } = order;
  if (!backupName.test(name) || name.endsWith(unfinished)) throw new Failure('bad-input', `${name} can not be the name of a backup: letters, digits, dots, dashes`);
  if (existsSync(join(folder, name))) throw new Failure('bad-input', `there is a backup ${name} already`);
  const draft = begin(folder, name);
  try {
    const earlier = listBackups(folder).find(({ record }) => record.node === node && record.cluster === cluster);
    const madeAt = new Date().toISOString();
    const parts: BackupPart[] = [];
    const kept = [{ kind: 'queue' as const, part: 'queue', of: order.queue }, ...order.storages.map((of, index) => ({ kind: 'storage' as const, part: `storage-${String(index + 1)}`, of }))];
    for (const { kind, part, of } of kept) {
      const base = earlier?.record.parts.find(({ directory, kind: theirs }) => theirs === kind && directory === of.directory);
      const copied = await copyPart(of, { into: join(draft, part), base: base === undefined ? undefined : join(folder, earlier?.name ?? '', base.folder), order });
      parts.push({ folder: part, kind, directory: of.directory, ...copied });
    }
    writeRecord(draft, { cluster, node, madeAt, parts });
    renameSync(draft, join(folder, name));
    flush(folder);
    return readBackup(folder, name);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw asFailure(error);
  }
}

/** What a cut one of the same name has left is removed; whether another process works at it, its caller knows. */
function begin(folder: string, name: string): string {
  const draft = join(folder, `${name}${unfinished}`);
  try {
    makeDirectory(folder);
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(draft, { mode: 0o700 });
    return draft;
  } catch (error) {
    throw new Failure('storage-failure', `the folder of backups can not be written: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

interface PartOrder {
  readonly into: string;
  /** The same part in an earlier backup: packs that have not changed since are shared with it. */
  readonly base: string | undefined;
  readonly order: BackupOrder;
}

async function copyPart(kept: KeptFolder, { into, base, order }: PartOrder): Promise<Pick<BackupPart, 'bytes' | 'packs' | 'sharedPacks'>> {
  const packs = join(into, 'packs');
  makeDirectory(packs);
  await copyFile(join(kept.directory, kept.kind.fileName), join(into, kept.kind.fileName));
  flush(join(into, kept.kind.fileName));
  const frozen = await freeze(kept, join(into, 'index'));
  try {
    const live = frozen.environment.read(() => new PackLedger(frozen.environment).all()).filter(({ entry }) => entry.liveBytes > 0);
    const names = live.map(({ number }) => packName(number)).filter((name) => existsSync(join(kept.directory, 'packs', name))); // one that is lost is for the check to tell
    const of = names.reduce((sum, name) => sum + statSync(join(kept.directory, 'packs', name)).size, 0);
    let bytes = 0;
    let sharedPacks = 0;
    for (const name of names) {
      order.signal.throwIfAborted();
      order.report(`copies ${kept.directory}`, { bytes, of });
      const from = join(kept.directory, 'packs', name);
      const how = await copyPack(from, join(packs, name), base === undefined ? undefined : join(base, 'packs', name));
      if (how === 'shared') sharedPacks += 1;
      bytes += statSync(from).size;
    }
    flush(packs);
    return { bytes: bytesBelow(into), packs: names.length, sharedPacks };
  } finally {
    await frozen.release();
    flush(into);
  }
}

/** A pack only grows: the same size and time means the same bytes, as rsync has it. */
async function copyPack(from: string, to: string, earlier: string | undefined): Promise<'copied' | 'shared'> {
  const { size, mtime } = statSync(from);
  const known = earlier === undefined || !existsSync(earlier) ? undefined : statSync(earlier);
  if (earlier !== undefined && known?.size === size && known.mtime.getTime() === mtime.getTime()) {
    linkSync(earlier, to);
    return 'shared';
  }
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  utimesSync(to, mtime, mtime);
  const file = await open(to, 'r+');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
  return 'copied';
}

function asFailure(error: unknown): unknown {
  if (error instanceof Failure || !(error instanceof Error)) return error;
  if (isDiskFull(error)) return new Failure('storage-full', 'no space is left for the backup', { cause: error });
  if (error.name === 'AbortError') return new Failure('shutting-down', 'the backup was cut: the process that made it ends', { cause: error });
  return new Failure('storage-failure', `the backup could not be made: ${error.message}`, { cause: error });
}
