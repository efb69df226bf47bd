/**
 * One storage under torture: in each round processes work on it at once, some are killed at a step, or at random, or meet a
 * fault of their disk, one goes on; or it is compacted, or repaired. Then the ledger is compared with what is found.
 */
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { testProcess } from '../harness/program-file.ts';
import { readLedger } from './actions.ts';
import type { LedgerLine } from './actions.ts';
import { audit } from './audit.ts';
import { takeCare } from './care.ts';
import type { CareTask } from './care.ts';
import type { Dice } from './dice.ts';
import { MailLedger } from './mail-ledger.ts';
import type { FlagTraces } from './flag-traces.ts';
import { lookAround } from './mail-storage.ts';
import type { WorkerTask } from './mail-worker.ts';
import { assertOnlyTormented, startProcess } from './process.ts';
import type { Outcome, Running } from './process.ts';
import { countIn, endsOnceSettled } from './rehearsal.ts';
import { spoilIndex } from './spoilt-index.ts';
import { injectionOf } from './steps.ts';
import type { Step } from './steps.ts';

const script = testProcess('torture/mail-worker');
const careScript = testProcess('torture/care-worker');
const lanes = 4;
/** No process makes that many calls of one name; strace counts up to 65,535. */
const never = 60_000;

/** What is done to a process: it is killed at a step, or meets a fault of its disk. */
export interface Torment {
  readonly step: Step;
  /** Which of the step's calls is struck, from 1. */
  readonly count: number;
}

/** What became of a torment. */
export interface TormentReport {
  /** What was meant did happen. */
  readonly struck: 'yes' | 'no';
  /** Where it struck, as a system call. */
  readonly call: string | undefined;
  /** How the process ended that was tormented. */
  readonly end: Outcome['end'];
}

export class MailTorture {
  readonly #directory: string;
  readonly #ledger = new MailLedger();
  readonly #dice: Dice;
  #round = 0;
  #careRuns = 0;

  /** @param directory an empty one. */
  constructor(directory: string, dice: Dice) {
    this.#directory = directory;
    this.#dice = dice;
    mkdirSync(directory, { recursive: true });
  }

  /** Changes that were acknowledged. */
  get answers(): number {
    return this.#ledger.answers;
  }

  get refusals(): number {
    return this.#ledger.refusals;
  }

  /** What became of changes of flags that were acknowledged. */
  get flagTraces(): Readonly<FlagTraces> {
    return this.#ledger.flagTraces;
  }

  /** One process for each torment, and one that nobody torments, all at once. Throws when anything acknowledged is not found, or anything found was never asked for. */
  async round(torments: readonly Torment[]): Promise<readonly TormentReport[]> {
    const tasks = this.#tasks(torments.length + 1);
    const outcomes = await Promise.all(tasks.map((task, index) => this.#start(task, torments[index]).ended));
    const lines = this.#note(tasks, outcomes);
    await this.verify();
    return torments.map((torment, index) => reported(torment, outcomes[index], lines[index]));
  }

  /** Two processes are killed at some moment; answers whether one was at work still. Throws as `round`. */
  async roundCutAtRandom(): Promise<'yes' | 'no'> {
    const tasks = this.#tasks(2);
    const running = tasks.map((task) => this.#start(task, undefined));
    await this.#killAll(running, tasks);
    const outcomes = await Promise.all(running.map(({ ended }) => ended));
    this.#note(tasks, outcomes);
    await this.verify();
    return outcomes[0]?.end === 'died' ? 'yes' : 'no';
  }

  /** The storage is compacted by a process that is killed at a step, alone or while another one changes mailboxes. Throws as `round`. */
  async compact(torment: Torment, beside: 'nobody' | 'a worker'): Promise<'yes' | 'no'> {
    const isNaming = torment.step.on === 'index once packs are settled';
    if (isNaming) await this.round([]); // something that was not compacted yet
    const count = isNaming ? await this.#countOfRehearsal(torment.step) ?? torment.count : torment.count;
    const tasks = beside === 'nobody' ? [] : this.#tasks(1);
    const compacting = this.#startCare('compact', { ...torment, count });
    const outcomes = await Promise.all(tasks.map((task) => this.#start(task, undefined).ended));
    const cut = await compacting.ended;
    assertOnlyTormented(cut);
    this.#note(tasks, outcomes);
    await this.verify();
    return cut.end === 'died' && (!isNaming || endsOnceSettled(this.#careTrace())) ? 'yes' : 'no';
  }

  /** Compacts a copy without any harm: how many calls come before the step depends on all that is in the storage. */
  async #countOfRehearsal(step: Step): Promise<number | undefined> {
    const copy = join(this.#directory, 'rehearsal');
    cpSync(this.#storage, copy, { recursive: true });
    assertOnlyTormented(await this.#startCare('compact', { step, count: never }, copy).ended);
    rmSync(copy, { recursive: true });
    return countIn(this.#careTrace(), step);
  }

  /** Of the last run. */
  #careTrace(): string {
    return readFileSync(this.#careTracePath, 'utf8');
  }

  get #careTracePath(): string {
    return join(this.#directory, `care-trace-${this.#careRuns}`);
  }

  /** The index is spoilt, and repaired by one process after the other, each killed at a step, until one is let finish; answers which were killed. Throws as `round`. */
  async repair(torments: readonly Torment[]): Promise<readonly ('yes' | 'no')[]> {
    await spoilIndex(this.#storage);
    const struck: ('yes' | 'no')[] = [];
    for (const torment of torments) {
      const cut = await this.#startCare('repair', torment).ended;
      assertOnlyTormented(cut);
      struck.push(cut.end === 'died' ? 'yes' : 'no');
    }
    await takeCare({ directory: this.#storage, work: 'repair' });
    await this.verify();
    return struck;
  }

  async verify(): Promise<void> {
    this.#ledger.compare((await lookAround(this.#storage)) ?? []);
    await audit(this.#storage);
  }

  get #storage(): string {
    return join(this.#directory, 'storage');
  }

  #tasks(count: number): WorkerTask[] {
    this.#round += 1;
    return Array.from({ length: count }, (_, worker) => {
      const ledger = join(this.#directory, `ledger-${this.#round}-${worker}`);
      appendFileSync(ledger, '');
      return { directory: this.#storage, ledger, seed: this.#dice.below(2 ** 30), worker, lanes, actions: 10 + this.#dice.below(15) };
    });
  }

  #start(task: WorkerTask, torment: Torment | undefined): Running {
    if (torment === undefined) return startProcess(script, task, undefined);
    const injection = injectionOf(torment.step, { directory: task.directory, ledger: task.ledger }, torment.count);
    return startProcess(script, task, { injection, traceFile: `${task.ledger}-trace` });
  }

  #startCare(work: CareTask['work'], { step, count }: Torment, directory = this.#storage): Running {
    this.#careRuns += 1;
    const injection = injectionOf(step, { directory, ledger: '' }, count);
    return startProcess(careScript, { directory, work } satisfies CareTask, { injection, traceFile: this.#careTracePath });
  }

  /** Enters what the processes wrote down. @throws Error when one ended by itself */
  #note(tasks: readonly WorkerTask[], outcomes: readonly Outcome[]): readonly (readonly LedgerLine[])[] {
    for (const outcome of outcomes) assertOnlyTormented(outcome);
    const lines = tasks.map(({ ledger }) => readLedger<LedgerLine>(ledger));
    for (const each of lines) this.#ledger.add(each);
    return lines;
  }

  async #killAll(running: readonly Running[], tasks: readonly WorkerTask[]): Promise<void> {
    while (!tasks.every(({ ledger }) => readLedger(ledger).length > 0)) await sleep(5);
    for (const { pid } of running) {
      await sleep(this.#dice.below(250));
      if (pid !== undefined) killIfThere(pid);
    }
  }
}

function reported({ step }: Torment, outcome: Outcome | undefined, lines: readonly LedgerLine[] = []): TormentReport {
  if (outcome === undefined) throw new Error('a torment without its process');
  const { end, struckAt: call } = outcome;
  const did = end === 'died' || (step.kind === 'fault' && lines.some(({ at }) => at === 'refused'));
  return { struck: did ? 'yes' : 'no', call, end };
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error; // it has ended by itself
  }
}
