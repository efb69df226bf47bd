/**
 * The power-cut proof: a process works on a storage, or a node on its mail and queue, under strace; then the disk is rebuilt as a cut at some moment could
 * have left it, a storage is opened on it, and compared with what had been acknowledged by then.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { testProcess } from '../harness/program-file.ts';
import { largeBytes } from './actions.ts';
import type { LedgerLine } from './actions.ts';
import type { Dice } from './dice.ts';
import { PoweredDisk } from './disk-image.ts';
import { traceDisk } from './disk-trace.ts';
import type { DiskEvent } from './disk-trace.ts';
import { noTraces, withTraces } from './flag-traces.ts';
import type { FlagTraces } from './flag-traces.ts';
import { Judge } from './judge.ts';
import type { Case } from './judge.ts';
import type { WorkerTask } from './mail-worker.ts';
import { addresses } from './queue-ledger.ts';
import type { Errand, QueueLine, QueueTask } from './queue-worker.ts';

/** What works, and is then compared. */
export type Work =
  | { readonly of: 'mail'; readonly lanes: number; readonly actions: number }
  | { readonly of: 'queue'; readonly clients: number; readonly messages: number };

export interface PowerCutOptions {
  readonly work: Work;
  /** A copy of the program that is watched instead of this one. */
  readonly copy?: string | undefined;
  /** For all files; an empty one. */
  readonly directory: string;
  /** How many cuts are tried. Half of them come just as something is acknowledged; the last one when all is done, so that whatever was done wrong lies before it. */
  readonly cuts: number;
  readonly dice: Dice;
}

export interface PowerCutReport {
  readonly cuts: number;
  readonly acknowledged: number;
  readonly flushes: number;
  /** What became of changes of flags, in all that was acknowledged. */
  readonly flagTraces: Readonly<FlagTraces>;
  /** One for each cut that lost something, or left a storage that can't be opened. */
  readonly losses: readonly string[];
}

interface Recording {
  readonly events: readonly DiskEvent[];
  readonly lines: number;
  readonly flagTraces: Readonly<FlagTraces>;
  /** Places in the trace where something is acknowledged. */
  readonly acknowledged: readonly number[];
  /** The storage on what is left, and what was said before the cut. */
  readonly caseAt: (line: number, image: string) => Case;
}

export async function cutPower(options: PowerCutOptions): Promise<PowerCutReport> {
  const { directory, cuts, dice } = options;
  const { events, lines, acknowledged, flagTraces, caseAt } = options.work.of === 'mail' ? recordMail(options, options.work) : recordQueue(options, options.work);
  const disk = new PoweredDisk(watched(options).directory, events);
  const losses: string[] = [];
  const judge = new Judge();
  try {
    for (let count = 0; count < cuts; count += 1) {
      const remains = (['nothing', 'by chance', 'everything', 'by chance'] as const)[count % 4] ?? 'nothing';
      const at = count === cuts - 1 ? lines : count % 8 < 4 ? dice.pick(acknowledged) : dice.below(lines);
      const image = join(directory, `image-${count}`);
      mkdirSync(image);
      disk.rebuild(image, { at, remains, dice });
      const loss = await judge.judge(caseAt(at, image));
      rmSync(image, { recursive: true, force: true });
      if (loss !== undefined) losses.push(`cut at line ${at} of the trace, of what was not flushed remains ${remains}: ${loss}`);
    }
  } finally {
    await judge.close();
  }
  return { cuts, acknowledged: acknowledged.length, flushes: events.filter(({ kind }) => kind === 'flush').length, flagTraces, losses };
}

function watched({ directory }: PowerCutOptions): { readonly directory: string; readonly ledger: string; readonly trace: string } {
  return { directory: join(directory, 'disk'), ledger: join(directory, 'ledger'), trace: join(directory, 'trace') };
}

function scriptOf({ copy }: PowerCutOptions, name: 'mail-worker' | 'queue-worker'): string {
  return copy === undefined ? testProcess(`torture/${name}`) : join(copy, 'test', 'torture', `${name}.ts`);
}

function recordMail(options: PowerCutOptions, { lanes, actions }: Work & { readonly of: 'mail' }): Recording {
  const files = watched(options);
  const task: WorkerTask = { directory: files.directory, ledger: files.ledger, seed: options.dice.below(2 ** 30), worker: 0, lanes, actions };
  const { events, said, lines } = traceDisk<LedgerLine>(scriptOf(options, 'mail-worker'), task, files);
  return {
    events, lines, flagTraces: withTraces(noTraces, said.map(({ line }) => line)), acknowledged: said.filter(({ line }) => line.at === 'done').map(({ begin }) => begin),
    caseAt: (at, directory) => ({ of: 'mail', directory, lines: said.filter(({ begin }) => begin <= at).map(({ line }) => line) }),
  };
}

function recordQueue(options: PowerCutOptions, { clients, messages }: Work & { readonly of: 'queue' }): Recording {
  const files = watched(options);
  const { dice } = options;
  const errands = Array.from({ length: messages }, (_, index): Errand => ({
    message: { token: `${dice.below(2 ** 30)}.${index}`, bytes: index === 0 ? largeBytes : 200 + dice.below(4000) }, recipients: dice.some(addresses), way: dice.pick(['accounts', 'queue', 'queue']),
  }));
  const task: QueueTask = { directory: files.directory, ledger: files.ledger, clients, errands };
  const { events, said, lines } = traceDisk<QueueLine>(scriptOf(options, 'queue-worker'), task, files);
  return {
    events, lines, flagTraces: noTraces, acknowledged: said.filter(({ line }) => line.at === 'taken').map(({ begin }) => begin),
    caseAt: (at, directory) => ({ of: 'queue', directory, lines: said.filter(({ begin }) => begin <= at).map(({ line }) => line) }),
  };
}
