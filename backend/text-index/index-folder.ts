/**
 * Where the index of a mailbox lies: `text-index/<mailbox>` in the folder of its storage. `manifest.json` names the segments
 * that count, and is replaced as a whole; `wanted` is there once somebody has searched the mailbox, and its time says when.
 */
import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Mailbox } from '../storage/storage.ts';
import { DamagedIndex } from './segment-file.ts';

const format = 2;

const manifestSchema = z.object({
  format: z.literal(format),
  /** Of the mailbox: an index of another one is worthless, whatever its folder is called. */
  mailboxId: z.string(),
  uidValidity: z.number(),
  /** The mailbox's mod-sequence when it was last compared, how many messages no segment had then, and how many of the segments' were gone. */
  modseq: z.number(),
  missing: z.number(),
  gone: z.number(),
  segments: z.array(z.object({ file: z.string().regex(/^[0-9a-z]+\.segment$/), messages: z.number(), bytes: z.number() })),
});

export type Manifest = z.output<typeof manifestSchema>;

export const manifestName = 'manifest.json';
const wantedName = 'wanted';
/** What was damaged, until the index is made anew. */
export const asideSuffix = '.damaged';

export function rootOf(directory: string): string {
  return join(directory, 'text-index');
}

export function folderOf({ directory, id }: Pick<Mailbox, 'directory' | 'id'>): string {
  return join(rootOf(directory), String(id));
}

/** Whole paths of the folders of mailboxes. */
export function foldersIn(root: string): string[] {
  return namesIn(root).map((name) => join(root, name));
}

/** Undefined when there is none, or one of another format. Throws DamagedIndex. */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  const text = await readFile(join(folder, manifestName), 'utf8').catch(unlessMissing);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DamagedIndex('the manifest is no JSON');
  }
  if (typeof value === 'object' && value !== null && 'format' in value && typeof value.format === 'number' && value.format !== format) return undefined;
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) throw new DamagedIndex('the manifest is not as it was written');
  return parsed.data;
}

/** Whether the index is of this very mailbox. */
export function isOf(manifest: Manifest, { mailboxId, uidValidity }: Pick<Manifest, 'mailboxId' | 'uidValidity'>): boolean {
  return manifest.mailboxId === mailboxId && manifest.uidValidity === uidValidity;
}

/** Takes effect at once, for all processes. */
export function writeManifest(folder: string, manifest: Omit<Manifest, 'format'>): void {
  const draft = join(folder, 'manifest.draft');
  writeFileSync(draft, JSON.stringify({ format, ...manifest }), { mode: 0o600 });
  renameSync(draft, join(folder, manifestName));
}

/** Takes the index out of use; the damaged one before is thrown away. */
export async function setAside(folder: string): Promise<void> {
  const aside = `${folder}${asideSuffix}`;
  await rm(aside, { recursive: true, force: true });
  await rename(folder, aside).catch(unlessMissing);
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Removes the index; that the mailbox is searched stays noted. Answers how many bytes that were. */
export function clearFolder(folder: string): number {
  let bytes = 0;
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    if (name === wantedName) continue;
    bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    rmSync(path, { force: true });
  }
  return bytes;
}

/** What lies in the folder of a mailbox; nothing when it is not there. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // there is none yet, or no more
  }
}

/** Notes that the mailbox was searched. */
export async function markWanted(folder: string): Promise<void> {
  const path = join(folder, wantedName);
  const now = new Date();
  try {
    await utimes(path, now, now);
  } catch (error) {
    if (!isMissing(error)) throw error;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(path, '', { mode: 0o600 });
  }
}

/** When it was searched last; undefined when never. Milliseconds since 1970. */
export async function wantedAtMs(folder: string): Promise<number | undefined> {
  return (await stat(join(folder, wantedName)).catch(unlessMissing))?.mtimeMs;
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function unlessMissing(error: unknown): undefined {
  if (isMissing(error)) return undefined;
  throw error;
}
