/**
 * One storage under torture: in each round one or two processes work on it, the first is killed at a step, or at random, or meets a
 * fault of its disk, the second goes on; then the ledger is compared with what is found.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { testProcess } from '../harness/program-file.ts';
import { readLedger } from './actions.ts';
import type { LedgerLine } from './actions.ts';
import { audit } from './audit.ts';
import type { CareTask } from './care-worker.ts';
import type { Dice } from './dice.ts';
import { MailLedger } from './mail-ledger.ts';
import { lookAround } from './mail-storage.ts';
import type { WorkerTask } from './mail-worker.ts';
import { assertOnlyTormented, startProcess } from './process.ts';
import type { Outcome, Running } from './process.ts';
import { spoilIndex } from './spoilt-index.ts';
import { injectionOf } from './steps.ts';
import type { Step } from './steps.ts';

const script = testProcess('torture/mail-worker');
const careScript = testProcess('torture/care-worker');
const lanes = 4;

/** What is done to the first process of a round. */
export type Torment =
  | { readonly at: 'step'; readonly step: Step; readonly count: number }
  /** All processes are killed at some moment. */
  | { readonly at: 'random' }
  /** All are let finish. */
  | { readonly at: 'never' };

export interface RoundReport {
  /** What was meant did happen. */
  readonly struck: 'yes' | 'no';
  /** Where it struck, as a system call. */
  readonly call: string | undefined;
  /** How the process ended that was tormented. */
  readonly end: Outcome['end'] | undefined;
  readonly answers: number;
  readonly refusals: number;
}

export class MailTorture {
  readonly #directory: string;
  readonly #ledger = new MailLedger();
  readonly #dice: Dice;
  readonly #workers: number;
  #round = 0;

  /** @param directory an empty one. @param workers how many processes work on it. */
  constructor(directory: string, dice: Dice, workers: 1 | 2) {
    this.#directory = directory;
    this.#dice = dice;
    this.#workers = workers;
    mkdirSync(directory, { recursive: true });
  }

  /** Throws when anything acknowledged is not found, or anything found was never asked for. */
  async round(torment: Torment): Promise<RoundReport> {
    this.#round += 1;
    const before = { answers: this.#ledger.answers, refusals: this.#ledger.refusals };
    const tasks = Array.from({ length: this.#workers }, (_, worker) => this.#task(worker));
    const running = tasks.map((task, index) => this.#start(task, index === 0 ? torment : undefined));
    const isOver = torment.at === 'random' ? this.#killAll(running, tasks) : Promise.resolve();
    const outcomes = await Promise.all(running.map(({ ended }) => ended));
    await isOver;
    for (const outcome of outcomes) assertOnlyTormented(outcome);
    const lines = tasks.map(({ ledger }) => readLedger<LedgerLine>(ledger));
    for (const each of lines) this.#ledger.add(each);
    await this.verify();
    const { answers, refusals } = this.#ledger;
    return { ...struck(torment, outcomes[0], refusals > before.refusals), answers: answers - before.answers, refusals: refusals - before.refusals };
  }

  /** The storage is compacted, or spoilt and repaired, by a process that is killed at a step; a repair then by one that is let finish. */
  async care(work: CareTask['work'], { step, count }: { readonly step: Step; readonly count: number }): Promise<'yes' | 'no'> {
    const directory = join(this.#directory, 'storage');
    if (work === 'repair') await spoilIndex(directory);
    const injection = injectionOf(step, { directory, ledger: '' }, count);
    const cut = await startProcess(careScript, { directory, work } satisfies CareTask, { injection, traceFile: join(this.#directory, 'trace') }).ended;
    assertOnlyTormented(cut);
    const whole = work === 'repair' && cut.end === 'died' ? await startProcess(careScript, { directory, work } satisfies CareTask, undefined).ended : undefined;
    if (whole !== undefined && whole.end !== 'ended') throw new Error(`${work} failed by itself:\n${whole.words}`);
    await this.verify();
    return cut.end === 'died' ? 'yes' : 'no';
  }

  async verify(): Promise<void> {
    const storage = join(this.#directory, 'storage');
    this.#ledger.compare((await lookAround(storage)) ?? []);
    await audit(storage);
  }

  #task(worker: number): WorkerTask {
    const ledger = join(this.#directory, `ledger-${this.#round}-${worker}`);
    appendFileSync(ledger, '');
    return { directory: join(this.#directory, 'storage'), ledger, seed: this.#dice.below(2 ** 30), worker, lanes, actions: 10 + this.#dice.below(15) };
  }

  #start(task: WorkerTask, torment: Torment | undefined): Running {
    if (torment?.at !== 'step') return startProcess(script, task, undefined);
    const injection = injectionOf(torment.step, { directory: task.directory, ledger: task.ledger }, torment.count);
    return startProcess(script, task, { injection, traceFile: join(this.#directory, 'trace') });
  }

  async #killAll(running: readonly Running[], tasks: readonly WorkerTask[]): Promise<void> {
    while (!tasks.every(({ ledger }) => readLedger(ledger).length > 0)) await sleep(5);
    for (const { pid } of running) {
      await sleep(this.#dice.below(250));
      if (pid !== undefined) killIfThere(pid);
    }
  }
}

function struck(torment: Torment, outcome: Outcome | undefined, refused: boolean): Pick<RoundReport, 'struck' | 'call' | 'end'> {
  const did = torment.at === 'step' && torment.step.kind === 'fault' ? refused || outcome?.end === 'died' : outcome?.end === 'died';
  return { struck: did ? 'yes' : 'no', call: outcome?.struckAt, end: outcome?.end };
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error; // it has ended by itself
  }
}
