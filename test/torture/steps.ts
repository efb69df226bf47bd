/**
 * The named steps at which processes are killed, and the faults of disks that are made, each as a system call on a file of
 * a storage or queue. Where exactly a step struck is read from the trace of the call.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Dice } from './dice.ts';
import type { Injection } from './process.ts';

/** A step of one storage (or queue) directory. */
export interface Step {
  readonly name: string;
  /** The process dies at this call, or goes on with an error. */
  readonly kind: 'kill' | 'fault';
  readonly calls: string;
  readonly on: 'pack' | 'pack directory' | 'index' | 'index once packs are settled' | 'ledger';
  readonly effect: string;
  /** `once`, or for all calls from there on: a disk that stays full. */
  readonly lasts: 'once' | 'on';
}

const kill = { kind: 'kill', effect: 'signal=KILL', lasts: 'once' } as const;

export const killSteps: readonly Step[] = [
  { ...kill, name: 'a pack is made', calls: 'openat', on: 'pack' },
  { ...kill, name: 'bytes go into a pack', calls: 'pwrite64', on: 'pack' }, // most are settled by the same call (O_DSYNC)
  { ...kill, name: 'a pack is settled that has a large message', calls: 'fdatasync', on: 'pack' },
  { ...kill, name: 'a new pack is flushed', calls: 'fsync', on: 'pack' },
  { ...kill, name: 'the name of a new pack is flushed', calls: 'fsync', on: 'pack directory' },
  { ...kill, name: 'pages of the index are written', calls: 'writev,pwrite64', on: 'index' }, // neighbours by one call, single ones by the other
  { ...kill, name: 'the index is flushed', calls: 'fdatasync', on: 'index' },
  { ...kill, name: 'a page of the index, or its header, is written', calls: 'pwrite64', on: 'index' },
  { ...kill, name: 'the answer is written', calls: 'write', on: 'ledger' },
];

/** Packs come to be dead where a storage is compacted; elsewhere it is a matter of chance. */
export const tidyStep: Step = { ...kill, name: 'a dead pack is removed', calls: 'unlink', on: 'pack' };

/** The commit that names the copies of a compaction: only from then on may the old packs go. */
export const namingSteps: readonly Step[] = [
  { ...kill, name: 'pages of the index that name the copies are written', calls: 'writev,pwrite64', on: 'index once packs are settled' },
  { ...kill, name: 'the index that names the copies is flushed', calls: 'fdatasync', on: 'index once packs are settled' },
  { ...kill, name: 'the header of the index that names the copies is written', calls: 'pwrite64', on: 'index once packs are settled' },
];

/** While a storage is compacted: copies are made, the index names them, the old packs go. */
export const compactSteps: readonly Step[] = [...killSteps.filter(({ on }) => on !== 'ledger'), ...namingSteps, tidyStep];

/** While a storage is repaired: all of it happens in the index. */
export const repairSteps: readonly Step[] = killSteps.filter(({ on }) => on === 'index');

/** The index's header is written last in a commit; which call that is shows by its size only. */
export const headerStep: Step = { name: 'the header of the index, or a page, can not be written', kind: 'fault', calls: 'pwrite64', on: 'index', effect: 'error=EIO', lasts: 'once' };

export const faultSteps: readonly Step[] = [
  { name: 'no space in a pack', kind: 'fault', calls: 'pwrite64', on: 'pack', effect: 'error=ENOSPC', lasts: 'on' },
  { name: 'no space for a new pack', kind: 'fault', calls: 'openat', on: 'pack', effect: 'error=ENOSPC', lasts: 'on' },
  { name: 'a write of a pack fails, or its flush', kind: 'fault', calls: 'pwrite64', on: 'pack', effect: 'error=EIO', lasts: 'once' },
  { name: 'a flush of a pack that has a large message fails', kind: 'fault', calls: 'fdatasync', on: 'pack', effect: 'error=EIO', lasts: 'once' },
  { name: 'no space in the index', kind: 'fault', calls: 'writev', on: 'index', effect: 'error=ENOSPC', lasts: 'on' },
  { name: 'a flush of the index fails', kind: 'fault', calls: 'fdatasync', on: 'index', effect: 'error=EIO', lasts: 'once' },
  headerStep,
];

/** What is done while something strikes, and all the steps of it. */
const stepsOf = {
  mail: killSteps,
  faults: faultSteps,
  compact: compactSteps,
  repair: repairSteps,
  queue: killSteps,
} as const satisfies Readonly<Record<string, readonly Step[]>>;

export type TorturedWork = keyof typeof stepsOf;

export function stepName(work: TorturedWork, { name }: Pick<Step, 'name'>): string {
  return `${work}: ${name}`;
}

/** Every one there is. */
export const namedSteps: readonly string[] = Object.entries(stepsOf).flatMap(([work, steps]) => steps.map((step) => stepName(work as TorturedWork, step)));

/** Whether the call that was struck wrote the header. */
export function isHeaderWrite(call: string | undefined): boolean {
  return call?.includes('..., 128, ') === true;
}

/** Which of a step's calls is to be struck: one that comes, mostly. */
export function someCount({ calls, on }: Step, dice: Dice): number {
  const few = on === 'pack' ? { openat: 1, fsync: 2, unlink: 2, fdatasync: 4 }[calls] : { fsync: 2 }[calls];
  return 1 + dice.below(few ?? 15);
}

/** As `someCount`, for a process that has little to do. @param tries how often it was not met before */
export function earlyCount(tries: number): number {
  return 1 + (tries % 3);
}

/** @param count which of the calls, from 1. */
export function injectionOf(step: Step, files: { readonly directory: string; readonly ledger: string }, count: number): Injection {
  const watched = step.on === 'index once packs are settled' ? { watched: 'openat,writev,pwrite64,fdatasync' } : {};
  return { calls: step.calls, paths: pathsOf(step, files), effect: step.effect, when: step.lasts === 'on' ? `${count}+` : String(count), ...watched };
}

/** Six processes, each with a pack that messages share and one for each large one that comes at the same time. */
const packsInOneRound = 30;

function pathsOf({ on, calls }: Step, { directory, ledger }: { readonly directory: string; readonly ledger: string }): string[] {
  if (on === 'ledger') return [ledger];
  if (on === 'index') return [join(directory, 'index', 'data.mdb')];
  const packs = join(directory, 'packs');
  if (on === 'pack directory') return [packs];
  const known = numbersIn(packs);
  const next = Math.max(0, ...known) + 1;
  const numbers = calls === 'unlink' ? [...known, next, next + 1] : Array.from({ length: packsInOneRound }, (_, index) => next + index);
  const paths = numbers.map((number) => join(packs, `${String(number).padStart(8, '0')}.pack`));
  return on === 'index once packs are settled' ? [...paths, join(directory, 'index', 'data.mdb')] : paths;
}

function numbersIn(packs: string): number[] {
  try {
    return readdirSync(packs).map((name) => Number.parseInt(name, 10));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []; // the first round
    throw error;
  }
}
