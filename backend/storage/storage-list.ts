/**
 * Which storages a node has beside those of its configuration, and which of its own are taken out: small files in a folder beside its
 * queue, one for each, written whole or not at all. Of a storage that is taken out the addresses are remembered, so that nobody takes them
 * for unknown, or makes them anew.
 * Of each that it has ever had open there is a note, which says that its folder can't be that of a new one, and which storage it was, and of when.
 * One that is being taken in has a note of its own until it is known that it can be opened: whatever breaks off leaves what was noted before.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../shared/base/failure.ts';
import { dateInPast, writtenAtMs } from '../../shared/base/file-date.ts';
import { flush, makeDirectory } from './directories.ts';
import { identityOf } from './directory-record.ts';
import type { DirectoryIdentity } from './directory-record.ts';

/** A storage whose accounts answer that they can't be had for the time being. */
export interface TakenOut {
  readonly directory: string;
  /** ISO 8601. */
  readonly since: string;
  /** Of accounts, aliases and groups. */
  readonly addresses: ReadonlySet<string>;
}

/** A storage that is being taken in: whether it can be opened is not known yet, and what was noted of it before counts again if it can't. */
export interface Joining {
  readonly directory: string;
  /** Who takes it in (`thisProcess`). */
  readonly process: string;
}

export interface StorageList {
  readonly attached: readonly string[];
  readonly joining: readonly Joining[];
  readonly takenOut: readonly TakenOut[];
}

const attachedSchema = z.object({ directory: z.string() });
const joiningSchema = z.object({ directory: z.string(), process: z.string() });
const identitySchema = z.object({ id: z.string(), starts: z.number() });
const takenOutSchema = z.object({ directory: z.string(), since: z.string(), addresses: z.array(z.string()) });

/** Throws `storage-failure` when a file of it is damaged: to guess would make accounts anew. */
export function readStorageList(folder: string): StorageList {
  if (!existsSync(folder)) return { attached: [], joining: [], takenOut: [] };
  const names = readdirSync(folder).filter((name) => name.endsWith('.json')).sort();
  const of = <T>(kind: string, schema: z.ZodType<T>): readonly T[] => names.filter((name) => name.startsWith(`${kind}-`)).map((name) => readOne(join(folder, name), schema));
  return {
    attached: of('attached', attachedSchema).map(({ directory }) => directory),
    joining: of('joining', joiningSchema),
    takenOut: of('detached', takenOutSchema).map(({ addresses, ...one }) => ({ ...one, addresses: new Set(addresses) })),
  };
}

/** On stable storage when it returns, as all that follow. */
export function noteTakenOut(folder: string, { directory, since, addresses }: TakenOut): void {
  write(folder, fileOf('detached', directory), { directory, since, addresses: [...addresses] });
}

/** It is not taken out any more. */
export function forgetTakenOut(folder: string, directory: string): void {
  remove(folder, fileOf('detached', directory));
}

export function noteAttached(folder: string, directory: string): void {
  write(folder, fileOf('attached', directory), { directory });
}

export function noteJoining(folder: string, { directory, process }: Joining): void {
  write(folder, fileOf('joining', directory), { directory, process });
}

/** From now on what else is noted of it counts. */
export function forgetJoining(folder: string, directory: string): void {
  remove(folder, fileOf('joining', directory));
}

export function forgetAttached(folder: string, directory: string): void {
  remove(folder, fileOf('attached', directory));
}

/** Of a storage that is open. */
export function noteKnown(folder: string, directory: string): void {
  write(folder, fileOf('known', directory), { directory, ...identityOf(directory) });
}

/** Which storage was there, and of when; undefined where that is not known. What can't be understood says nothing: it only guards against an oversight. */
export function knownIdentity(folder: string, directory: string): DirectoryIdentity | undefined {
  const path = join(folder, fileOf('known', directory));
  if (!existsSync(path)) return undefined;
  try {
    return identitySchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined; // also of earlier versions
    throw error;
  }
}

/** When it was noted last, milliseconds since 1970; undefined: never. */
export function knownAtMs(folder: string, directory: string): number | undefined {
  return writtenAtMs(join(folder, fileOf('known', directory)));
}

/** A note of a time to come is from now on one of now: what is declared later counts. @throws Failure('storage-failure') as `dateInPast` */
export function dateKnownInPast(folder: string, directory: string): void {
  dateInPast(join(folder, fileOf('known', directory)));
}

export function forgetKnown(folder: string, directory: string): void {
  remove(folder, fileOf('known', directory));
}

function fileOf(kind: 'attached' | 'detached' | 'joining' | 'known', directory: string): string {
  return `${kind}-${createHash('sha256').update(directory).digest('hex').slice(0, 16)}.json`;
}

/** Several workers may write one file at once: each replaces it whole. */
function write(folder: string, name: string, value: unknown): void {
  const path = join(folder, name);
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  makeDirectory(folder);
  try {
    writeFileSync(draft, JSON.stringify(value), { mode: 0o600, flush: true });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true }); // each start on a full disk would leave one
    throw error;
  }
  flush(folder);
}

function remove(folder: string, name: string): void {
  if (!existsSync(folder)) return;
  rmSync(join(folder, name), { force: true });
  flush(folder);
}

function readOne<T>(path: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new Failure('storage-failure', `${path} is damaged: it says which storage is attached or taken out`, { cause: error });
  }
}
