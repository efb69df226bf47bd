/**
 * The power-cut proof: a process works on a storage under strace; then the disk is rebuilt as a cut at some moment could
 * have left it, a storage is opened on it, and compared with what had been acknowledged by then.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LedgerLine } from './actions.ts';
import type { Dice } from './dice.ts';
import { PoweredDisk } from './disk-image.ts';
import { traceDisk } from './disk-trace.ts';
import { Judge } from './judge.ts';
import type { WorkerTask } from './mail-worker.ts';

export interface PowerCutOptions {
  /** A copy of the program may be watched instead of this one. */
  readonly root: string;
  /** For all files; an empty one. */
  readonly directory: string;
  readonly seed: number;
  readonly lanes: number;
  readonly actions: number;
  /** How many cuts are tried. Half of them come just as something is acknowledged. */
  readonly cuts: number;
  readonly dice: Dice;
}

export interface PowerCutReport {
  readonly cuts: number;
  readonly acknowledged: number;
  readonly flushes: number;
  /** One for each cut that lost something, or left a storage that can't be opened. */
  readonly losses: readonly string[];
}

export async function cutPower(options: PowerCutOptions): Promise<PowerCutReport> {
  const { root, directory, seed, lanes, actions, dice } = options;
  const files = { directory: join(directory, 'storage'), ledger: join(directory, 'ledger'), trace: join(directory, 'trace') };
  const task: WorkerTask = { directory: files.directory, ledger: files.ledger, seed, worker: 0, lanes, actions };
  const trace = traceDisk<LedgerLine>(join(root, 'test', 'torture', 'mail-worker.ts'), task, files);
  const disk = new PoweredDisk(files.directory, trace.events);
  const acknowledged = trace.said.filter(({ line }) => line.at === 'done');
  const losses: string[] = [];
  const judge = new Judge();
  try {
    for (let count = 0; count < options.cuts; count += 1) {
      const remains = (['nothing', 'by chance', 'everything', 'by chance'] as const)[count % 4] ?? 'nothing';
      const at = count % 8 < 4 ? dice.pick(acknowledged).begin : dice.below(trace.lines);
      const image = join(directory, `image-${count}`);
      mkdirSync(image);
      disk.rebuild(image, { at, remains, dice });
      const loss = await judge.judge({ directory: image, lines: trace.said.filter(({ begin }) => begin <= at).map(({ line }) => line) });
      rmSync(image, { recursive: true, force: true });
      if (loss !== undefined) losses.push(`cut at line ${at} of the trace, of what was not flushed remains ${remains}: ${loss}`);
    }
  } finally {
    await judge.close();
  }
  const flushes = trace.events.filter(({ kind }) => kind === 'flush').length;
  return { cuts: options.cuts, acknowledged: acknowledged.length, flushes, losses };
}
