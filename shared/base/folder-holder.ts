/**
 * Who uses a folder, written into it, for what its lock can't know: that a program on another machine, which had the same block
 * storage, may still write. The lock (folder-lock.ts) is the kernel's, so within one machine it alone decides.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Failure } from './failure.ts';

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

/** Enters this process. The folder must be locked. Answers how to leave in order. @throws Failure('in-use') when another machine did not leave it so */
export function holdFolder(folder: string, foreign: ForeignHolder): () => void {
  const before = readHolder(folder);
  const here = thisMachine();
  if (before !== undefined && foreign === 'refuse' && !isSameMachine(before, here)) {
    throw new Failure('in-use', `${folder} was not left in order by ${describe(before)}. If that machine is certainly off, start with --take-over; if it may still write, mail would be destroyed`);
  }
  writeHolder(folder, { ...here, pid: process.pid, since: new Date().toISOString() });
  return () => rmSync(join(folder, fileName), { force: true });
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
function writeHolder(folder: string, holder: Holder): void {
  const draft = join(folder, `${fileName}.new`); // one process at a time: the folder is locked
  const file = openSync(draft, 'w', 0o600);
  writeSync(file, `${JSON.stringify(holder)}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(draft, join(folder, fileName));
  const directory = openSync(folder, 'r');
  fsyncSync(directory);
  closeSync(directory);
}
