/** The small file in the directory of a storage, or of a queue, that says to which cluster and node it belongs and in which format it is. */
import { randomBytes, randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../../shared/base/failure.ts';
import { flush, makeDirectory } from './directories.ts';

/** What a directory holds, and the highest format of it that this program knows: of tables, rows and packs together. */
export interface DirectoryKind {
  readonly name: string;
  readonly fileName: string;
  readonly format: number;
}

export const storageKind: DirectoryKind = { name: 'storage', fileName: 'storage.json', format: 2 };
export const queueKind: DirectoryKind = { name: 'queue', fileName: 'queue.json', format: 1 };
/** The format from which on changes of flags may lie beside the rows that they change. */
export const flagRecordsFrom = 2;

export interface DirectoryRecord {
  readonly cluster: string;
  readonly node: string;
  readonly format: number;
  /** None in those that were made by earlier versions, until the next start. */
  readonly id?: string;
  /** How often a node has started with it: a copy has fewer than what it was made of, once that has gone on. */
  readonly starts?: number;
}

/** Which storage it is, and of when. */
export type DirectoryIdentity = Required<Pick<DirectoryRecord, 'id' | 'starts'>>;

/** Whose a directory is; `node` absent: whichever of the cluster. */
export interface DirectoryOwner {
  readonly cluster: string;
  readonly node?: string;
}

/**
 * Makes the directory and its record when they are missing, and checks the record: throws `in-use` when the directory
 * belongs to another cluster or node, `storage-failure` when its format is newer than ours or the record is damaged.
 */
export function claimDirectory(directory: string, owner: Required<DirectoryOwner>, kind: DirectoryKind = storageKind): DirectoryRecord {
  makeDirectory(directory);
  const path = join(directory, kind.fileName);
  const record = readRecord(path) ?? writeRecord(path, { cluster: owner.cluster, node: owner.node, format: kind.format, id: randomUUID(), starts: 0 });
  demandFormat(directory, record, kind);
  demandOwner(directory, record, owner);
  return record;
}

/** The record of a storage that is there, of whatever node. Throws `in-use` when it is another cluster's, `storage-failure` when there is none, or its format is newer. */
export function demandCluster(directory: string, cluster: string, kind: DirectoryKind = storageKind): DirectoryRecord {
  const record = demandKnownFormat(directory, kind);
  demandOwner(directory, record, { cluster });
  return record;
}

/** The record of a storage that is there, of whatever cluster. Throws `storage-failure` when there is none, or its format is newer: who does not understand it may change nothing of it. */
export function demandKnownFormat(directory: string, kind: DirectoryKind = storageKind): DirectoryRecord {
  const record = readRecord(join(directory, kind.fileName));
  if (record === undefined) throw new Failure('storage-failure', `${directory} is no ${kind.name}: it has no ${kind.fileName}`);
  demandFormat(directory, record, kind);
  return record;
}

/** Nothing is wrong where there is no record yet. Throws as `claimDirectory`; makes nothing. */
export function demandUsable(directory: string, owner: DirectoryOwner, kind: DirectoryKind = storageKind): void {
  const record = readRecord(join(directory, kind.fileName));
  if (record === undefined) return;
  demandFormat(directory, record, kind);
  demandOwner(directory, record, owner);
}

/**
 * A storage that is there is one of this program's format from now on, on stable storage when it returns: an older program, which would not
 * understand all of it, refuses it. For who has locked the directory, before anybody opens it: workers of an older program that have it open
 * would not hear of it. Throws `storage-failure`.
 */
export function raiseFormat(directory: string, kind: DirectoryKind = storageKind): void {
  const path = join(directory, kind.fileName);
  const record = readRecord(path);
  if (record === undefined || record.format >= kind.format) return;
  replaceRecord(path, { ...record, format: kind.format });
}

/** Undefined where there is no record, or one of an earlier version. Throws `storage-failure` when it can't be read. */
export function identityOf(directory: string, kind: DirectoryKind = storageKind): DirectoryIdentity | undefined {
  const { id, starts } = readRecord(join(directory, kind.fileName)) ?? {};
  return id === undefined || starts === undefined ? undefined : { id, starts };
}

/** One start more than there were, and than `least`; on stable storage when it returns. For the only process that has the directory. */
export function countStart(directory: string, least: number, kind: DirectoryKind = storageKind): void {
  const path = join(directory, kind.fileName);
  const record = readRecord(path);
  if (record === undefined) return;
  const { id = randomUUID(), starts = 0 } = record;
  replaceRecord(path, { ...record, id, starts: Math.max(starts, least) + 1 });
}

/** The storage is that node's from now on, on stable storage when it returns. */
export function changeOwner(directory: string, node: string, kind: DirectoryKind = storageKind): void {
  const path = join(directory, kind.fileName);
  const record = readRecord(path);
  if (record === undefined) throw new Failure('storage-failure', `${path} is gone`);
  replaceRecord(path, { ...record, node });
}

function demandFormat(directory: string, { format }: DirectoryRecord, kind: DirectoryKind): void {
  if (format <= kind.format) return;
  throw new Failure('storage-failure', `${directory} has ${kind.name} format ${String(format)}; this program knows formats up to ${String(kind.format)}: it needs a newer version`);
}

function demandOwner(directory: string, { cluster, node }: DirectoryRecord, owner: DirectoryOwner): void {
  if (cluster === owner.cluster && (owner.node === undefined || node === owner.node)) return;
  throw new Failure('in-use', owner.node === undefined
    ? `${directory} belongs to cluster ${cluster}, not to ${owner.cluster}`
    : `${directory} belongs to node ${node} of cluster ${cluster}, not to node ${owner.node} of cluster ${owner.cluster}`);
}

function readRecord(path: string): DirectoryRecord | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw new Failure('storage-failure', `${path} cannot be read`, { cause: error });
  }
  return parseRecord(path, text);
}

function parseRecord(path: string, text: string): DirectoryRecord {
  try {
    const record: unknown = JSON.parse(text);
    if (isRecord(record)) return record;
  } catch (error) {
    throw new Failure('storage-failure', `${path} is damaged`, { cause: error });
  }
  throw new Failure('storage-failure', `${path} is damaged`);
}

function isRecord(value: unknown): value is DirectoryRecord {
  return typeof value === 'object' && value !== null
    && 'cluster' in value && typeof value.cluster === 'string'
    && 'node' in value && typeof value.node === 'string'
    && 'format' in value && typeof value.format === 'number'
    && (!('id' in value) || typeof value.id === 'string')
    && (!('starts' in value) || typeof value.starts === 'number');
}

/** Several processes may do this at once: the first one's record stays, whole. */
function writeRecord(path: string, record: DirectoryRecord): DirectoryRecord {
  const draft = writeDraft(path, record);
  try {
    linkSync(draft, path);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  } finally {
    unlinkSync(draft);
  }
  flush(dirname(path));
  return readRecord(path) ?? record;
}

/** On stable storage when it returns. Throws `storage-failure`. */
function replaceRecord(path: string, record: DirectoryRecord): void {
  try {
    renameSync(writeDraft(path, record), path);
    flush(dirname(path));
  } catch (error) {
    throw new Failure('storage-failure', `${path} cannot be written`, { cause: error });
  }
}

/** Leaves nothing where it can't be written whole: each start of a node on a disk that is full would add one. */
function writeDraft(path: string, record: DirectoryRecord): string {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(draft, `${JSON.stringify(record)}\n`, { flag: 'wx', mode: 0o600, flush: true });
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  return draft;
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
