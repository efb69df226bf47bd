/**
 * Who uses a folder, written into it, for what its lock can't know: that a program on another machine, which had the same block
 * storage, may still write. The lock (folder-lock.ts) is the kernel's, so within one machine it alone decides.
 */
import { closeSync, constants, existsSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Failure } from './failure.ts';
import { isDiskFull } from './full-disk.ts';

/** `refuse`: a folder that another machine did not leave in order is not touched. `take-over`: that machine is known to be off (fenced). */
export type ForeignHolder = 'refuse' | 'take-over';

interface Machine {
  readonly host: string;
  /** machine-id(5); empty where the system has none. */
  readonly machine: string;
  /** Another after every boot; empty where the system does not tell. */
  readonly boot: string;
}

interface Holder extends Machine {
  readonly pid: number;
  /** ISO 8601. */
  readonly since: string;
}

const fileName = 'holder.json';
/** The same file while nobody is entered: it keeps its place on the disk, so that the next one can enter himself when that is full. */
const vacantName = 'holder-none.json';
/** What the file takes: a sector, which is written wholly or not at all. More than a name, an id and a time are never. */
const fileBytes = 512;

/** Enters this process. The folder must be locked. Answers how to leave in order. @throws Failure('in-use') when another machine did not leave it so, 'storage-failure' when nothing can be written */
export function holdFolder(folder: string, foreign: ForeignHolder): () => void {
  const before = readHolder(folder);
  const here = thisMachine();
  if (before !== undefined && foreign === 'refuse' && !isSameMachine(before, here)) {
    throw new Failure('in-use', `${folder} was not left in order by ${describe(before)}. If that machine is certainly off, start with --take-over; if it may still write, mail would be destroyed`);
  }
  enter(folder, { ...here, pid: process.pid, since: new Date().toISOString() });
  return () => leave(folder);
}

/** For the one who is refused: the words end a sentence. Undefined when nobody has entered himself. */
export function holderOf(folder: string): string | undefined {
  const holder = readHolder(folder);
  return holder === undefined ? undefined : describe(holder);
}

function describe({ pid, host, since }: Holder): string {
  return `process ${String(pid)} on ${host}, since ${since}`;
}

/** Of the same boot: the same kernel, whose locks are true (also of containers). Else by id and name: clones of a machine share the id. */
function isSameMachine(one: Machine, other: Machine): boolean {
  return (one.boot !== '' && one.boot === other.boot) || (one.host === other.host && one.machine === other.machine);
}

function thisMachine(): Machine {
  return { host: hostname(), machine: firstLine('/etc/machine-id'), boot: firstLine('/proc/sys/kernel/random/boot_id') };
}

function firstLine(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return ''; // a system without it
  }
}

function readHolder(folder: string): Holder | undefined {
  let text: string;
  try {
    text = readFileSync(join(folder, fileName), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new Failure('storage-failure', `${join(folder, fileName)} cannot be read`, { cause: error });
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isHolder(value)) return value;
  } catch (error) {
    throw new Failure('storage-failure', `${join(folder, fileName)} is damaged`, { cause: error });
  }
  throw new Failure('storage-failure', `${join(folder, fileName)} is damaged`);
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map(Object.entries(value));
  return ['host', 'machine', 'boot', 'since'].every((name) => typeof fields.get(name) === 'string') && typeof fields.get('pid') === 'number';
}

/** On the disk when it returns, so that a machine which loses power has left its name. */
function enter(folder: string, holder: Holder): void {
  const file = join(folder, fileName);
  try {
    const place = isInPlace(file) ? file : join(folder, vacantName); // one process at a time: the folder is locked
    overwrite(place, `${JSON.stringify(holder).padEnd(fileBytes - 1)}\n`);
    if (place !== file) renameSync(place, file);
    flush(folder);
  } catch (error) {
    const wayOut = isDiskFull(error) ? ': its disk is full. Make room for it, some kilobytes, and start again' : '';
    throw new Failure('storage-failure', `${file}, which says who uses the folder, cannot be written${wayOut}`, { cause: error });
  }
}

/** Earlier versions' files are shorter: written over they could be cut. */
function isInPlace(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.size === fileBytes;
}

/** A file of that length takes no more space by it. */
function overwrite(path: string, text: string): void {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    writeSync(file, text, 0);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function leave(folder: string): void {
  const file = join(folder, fileName);
  if (existsSync(file)) renameSync(file, join(folder, vacantName));
}

function flush(folder: string): void {
  const directory = openSync(folder, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
