/**
 * `npm run torture`: storages and queues are killed, filled and spoilt at every step, and power is cut, until that many rounds have passed
 * or one finds something missing. A fresh directory every few rounds. The same seed gives the same workers and steps; what runs at once
 * within them is up to the machine. Its other kinds are told by `npm run torture -- --help`: moves (move/run.ts), idle sessions
 * (soak/run.ts), IMAP against a model (../backend/imap/model/run.ts).
 */
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runModel } from '../backend/imap/model/run.ts';
import { bundleProgram } from '../harness/bundled-program.ts';
import { testProcessFolder, useProgram } from '../harness/program-file.ts';
import { tortureOrder } from './command.ts';
import { Dice } from './dice.ts';
import { describedTraces, noTraces, sumOfTraces } from './flag-traces.ts';
import { MailTorture } from './mail-rounds.ts';
import { tortureMoves } from './move/run.ts';
import type { Torment } from './mail-rounds.ts';
import { cutPower } from './power-cut.ts';
import type { Work } from './power-cut.ts';
import { soak } from './soak/run.ts';
import { QueueTorture } from './queue-rounds.ts';
import { compactSteps, faultSteps, killSteps, repairSteps, someCount, tidyStep } from './steps.ts';
import type { Step } from './steps.ts';

const usualRounds = 300;
const roundsInOneDirectory = 10;
const cutsInOneTrace = 60;

const order = tortureOrder(process.argv.slice(2));
const rounds = order.rounds ?? usualRounds;
const seed = order.seed ?? randomInt(2 ** 31);
const dice = new Dice(seed);

/** How often each step struck. */
const struck = new Map<string, number>();
let flagTraces = noTraces;
const sums = { rounds: 0, answers: 0, refusals: 0, queued: 0, cuts: 0, acknowledged: 0 };

function count(name: string): void {
  struck.set(name, (struck.get(name) ?? 0) + 1);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function tortureMail(directory: string): Promise<void> {
  const torture = new MailTorture(directory, dice);
  for (let turn = 0; turn < roundsInOneDirectory; turn += 1) {
    if (turn > 0 && dice.oneIn(4)) await tortureCare(torture);
    else if (dice.oneIn(5)) await tortureAtRandom(torture);
    else await tortureAtStep(torture);
  }
  sums.answers += torture.answers;
  sums.refusals += torture.refusals;
  flagTraces = sumOfTraces(flagTraces, torture.flagTraces);
}

async function tortureAtRandom(torture: MailTorture): Promise<void> {
  const struck = await torture.roundCutAtRandom().catch((error: unknown) => { throw new Error('mail, at random', { cause: error }); });
  if (struck === 'yes') count('mail: at random');
}

/** One process, or two, each at a step of its own. */
async function tortureAtStep(torture: MailTorture): Promise<void> {
  const torments = Array.from({ length: dice.oneIn(2) ? 1 : 2 }, () => tormentOf(dice.pick([...killSteps, tidyStep, ...faultSteps])));
  const reports = await torture.round(torments).catch((error: unknown) => { throw new Error(`mail, ${JSON.stringify(torments)}`, { cause: error }); });
  for (const [index, { struck }] of reports.entries()) if (struck === 'yes') count(`mail: ${torments[index]?.step.name ?? ''}`);
}

async function tortureCare(torture: MailTorture): Promise<void> {
  const work = dice.pick(['compact', 'repair'] as const);
  const torment = tormentOf(dice.pick(work === 'compact' ? compactSteps : repairSteps));
  const beside = dice.oneIn(2) ? 'nobody' : 'a worker';
  const [struck] = await (work === 'compact' ? torture.compact(torment, beside).then((one) => [one]) : torture.repair([torment]))
    .catch((error: unknown) => { throw new Error(`${work}, beside ${beside}, ${JSON.stringify(torment)}`, { cause: error }); });
  if (struck === 'yes') count(`${work}: ${torment.step.name}`);
}

function tormentOf(step: Step): Torment {
  return { step, count: someCount(step, dice) };
}

async function tortureQueue(directory: string): Promise<void> {
  const torture = new QueueTorture(directory, dice);
  const torments: string[] = [];
  for (let turn = 0; turn < roundsInOneDirectory; turn += 1) {
    const step = dice.pick([...killSteps, ...faultSteps]);
    const where = dice.pick(['queue', 'queue', 'mail'] as const);
    const call = await torture.round({ step, where, count: someCount(step, dice) });
    torments.push(`${where}, ${step.name}: ${call ?? 'not met'}`);
    if (call !== undefined) count(`queue: ${step.name} (${where})`);
  }
  sums.queued += await torture.verify().catch((error: unknown) => { throw new Error(`queue, after\n${torments.join('\n')}`, { cause: error }); });
}

async function torturePower(directory: string): Promise<void> {
  const work: Work = dice.oneIn(2) ? { of: 'mail', lanes: 4, actions: 25 } : { of: 'queue', clients: 4, messages: 30 };
  const report = await cutPower({ work, directory, cuts: cutsInOneTrace, dice });
  if (report.losses.length > 0) throw new Error(`power cut:\n${report.losses.join('\n')}`);
  flagTraces = sumOfTraces(flagTraces, report.flagTraces);
  sums.cuts += report.cuts;
  sums.acknowledged += report.acknowledged;
}

/** The message of an error with those of its causes: whoever prints the last error of a program prints one. */
function causesOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.stack ?? error.message : `${error.message}:\n${causesOf(error.cause)}`;
}

async function tortureStorages(): Promise<void> {
  say(`seed ${seed}, ${rounds} rounds`);
  const beganAtMs = Date.now();
  for (let turn = 0; sums.rounds < rounds; turn += 1) {
    const directory = mkdtempSync(join(tmpdir(), 'waybill-torture-'));
    const work = [tortureMail, tortureQueue, torturePower][turn % 3] ?? tortureMail;
    await work(directory).catch((error: unknown) => { throw new Error(`seed ${seed}; the files are left in ${directory}; ${causesOf(error)}`); });
    rmSync(directory, { recursive: true, force: true });
    sums.rounds += roundsInOneDirectory;
    say(`${sums.rounds} rounds, ${Math.round((Date.now() - beganAtMs) / 1000)} s`);
  }
  for (const [name, times] of [...struck].sort()) say(`${String(times).padStart(5)} × ${name}`);
  say(describedTraces(flagTraces));
  say(`${sums.answers} acknowledged changes of mailboxes (${sums.refusals} refused), ${sums.queued} messages through the queue, ${sums.cuts} power cuts over ${sums.acknowledged} changes: nothing lost, nothing twice`);
}

/** Each round on a node of its own, from a seed of its own. */
async function tortureImap(): Promise<void> {
  let acts = 0;
  for (let round = 0; round < rounds; round += 1) {
    say(`round ${String(round + 1)} of ${String(rounds)}, seed ${String(seed + round)}`);
    acts += await runModel({ seed: seed + round, news: (seed + round) % 2 === 0 ? 'at once' : 'after a pause', runs: 10, acts: 600, limitMs: 1_800_000, shortenMs: 300_000, tell: say });
  }
  say(`${String(acts)} acts, and every response as predicted`);
}

/** Processes of its own, and nodes, start again and again: they run out of bundles, which no other run makes anew below them. */
async function outOfBundle(work: () => Promise<void>): Promise<void> {
  const name = `bundle-${String(process.pid)}`;
  const folder = join(import.meta.dirname, '..', '..', '.runtime', name);
  process.once('exit', () => {
    for (const each of [folder, testProcessFolder(folder)]) rmSync(each, { recursive: true, force: true });
  });
  useProgram(await bundleProgram(name));
  await work();
}

if (order.kind === 'move') await outOfBundle(() => tortureMoves({ rounds: order.rounds, seed }, say));
else if (order.kind === 'imap') await tortureImap();
else if (order.kind === 'soak') await soak(order.sessions, say);
else await outOfBundle(tortureStorages);
