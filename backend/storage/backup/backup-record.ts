/** The folder of backups of a node: their names, and the record that makes one whole. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../../shared/base/failure.ts';
import { flush } from '../directories.ts';

/** 1: from when mailboxes did not keep changes of flags beside their rows; it is read as it is. */
const format = 2;
const recordName = 'backup.json';

const partSchema = z.object({
  folder: z.string().regex(/^[a-z0-9-]+$/).describe('Below the backup.'),
  kind: z.enum(['queue', 'storage']),
  directory: z.string().describe('Where it was on the node.'),
  bytes: z.number(), packs: z.number(),
  sharedPacks: z.number().describe('Packs that are the same file as in an earlier backup.'),
});
const recordSchema = z.object({ format: z.number(), cluster: z.string(), node: z.string(), madeAt: z.string(), parts: z.array(partSchema) });

export type BackupPart = z.output<typeof partSchema>;
export type BackupRecord = z.output<typeof recordSchema>;

/** What a backup may be called: one name without ways to anywhere else. */
export const backupName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** Of a backup that is not whole yet, or was cut. */
export const unfinished = '.part';

/** The whole backups of a folder, the newest first; none when there is no such folder. */
export function listBackups(folder: string): readonly { readonly name: string; readonly record: BackupRecord }[] {
  if (!existsSync(folder)) return [];
  const whole = readdirSync(folder).filter((name) => backupName.test(name) && !name.endsWith(unfinished) && existsSync(join(folder, name, recordName)));
  return whole.map((name) => ({ name, record: readBackup(folder, name) })).sort((one, other) => (one.record.madeAt < other.record.madeAt ? 1 : -1));
}

/** Throws `bad-input` when there is none of that name, `storage-failure` when its record is damaged or newer. */
export function readBackup(folder: string, name: string): BackupRecord {
  if (!backupName.test(name) || name.endsWith(unfinished)) throw new Failure('bad-input', `${name} is not the name of a backup`);
  const file = join(folder, name, recordName);
  if (!existsSync(file)) throw new Failure('bad-input', `there is no backup ${name}`);
  const parsed = recordSchema.safeParse(parseJson(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new Failure('storage-failure', `the record of backup ${name} is damaged`);
  if (parsed.data.format > format) throw new Failure('storage-failure', `backup ${name} has format ${String(parsed.data.format)}; this program knows formats up to ${String(format)}: it needs a newer version`);
  return parsed.data;
}

/** Written last: it is what makes the backup whole. */
export function writeRecord(path: string, record: Omit<BackupRecord, 'format'>): void {
  const file = join(path, recordName);
  writeFileSync(file, `${JSON.stringify({ format, ...record }, null, 2)}\n`, { mode: 0o600 });
  flush(file);
  flush(path);
}

/** Bytes of the files below, those shared with others included. */
export function bytesBelow(path: string): number {
  const { size } = statSync(path);
  return statSync(path).isDirectory() ? readdirSync(path).reduce((sum, name) => sum + bytesBelow(join(path, name)), 0) : size;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
