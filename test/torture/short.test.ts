/** The short form of `npm run torture`: every named step at least once, which the last test proves. The seed is printed. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Dice } from './dice.ts';
import { describedTraces, noTraces, sumOfTraces } from './flag-traces.ts';
import { MailTorture } from './mail-rounds.ts';
import type { Torment, TormentReport } from './mail-rounds.ts';
import { QueueTorture } from './queue-rounds.ts';
import { compactSteps, earlyCount, faultSteps, headerStep, isHeaderWrite, killSteps, namedSteps, repairSteps, stepName, tidyStep } from './steps.ts';
import type { Step, TorturedWork } from './steps.ts';

/** A step is met if its call comes; chance is given a few tries. */
const triesForEachStep = 7;
/** Processes that work on one storage at the same time, each tormented in its own way; one more is left alone. */
const tormentedAtOnce = 5;

/** What has struck, by the names of `namedSteps`. */
const struck = new Set<string>();
/** Of all tests. */
let flagTraces = noTraces;

function start(t: TestContext): { readonly directory: string; readonly dice: Dice } {
  const seed = randomInt(2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const directory = mkdtempSync(join(tmpdir(), 'waybill-torture-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return { directory, dice: new Dice(seed) };
}

interface Meeting {
  readonly work: TorturedWork;
  readonly steps: readonly Step[];
  readonly atOnce: number;
}

/** Until each of the steps has struck. @param torment answers what of it did */
async function meet({ work, steps, atOnce }: Meeting, torment: (torments: readonly Torment[]) => Promise<readonly boolean[]>): Promise<void> {
  let waiting = steps.map((step) => ({ step, tries: 0 }));
  while (waiting.length > 0) {
    const hopeless = waiting.filter(({ tries }) => tries >= triesForEachStep).map(({ step }) => step.name);
    assert.deepEqual(hopeless, [], 'these steps are never met');
    const now = waiting.slice(0, atOnce);
    const met = await torment(now.map(({ step, tries }) => ({ step, count: earlyCount(tries) })));
    for (const [index, { step }] of now.entries()) if (met[index] === true) struck.add(stepName(work, step));
    waiting = [...waiting.slice(atOnce), ...now.filter((_, index) => met[index] !== true).map(({ step, tries }) => ({ step, tries: tries + 1 }))];
  }
}

function isMet({ struck: did }: TormentReport): boolean {
  return did === 'yes';
}

test('mailboxes are changed by processes that are killed at every step, and at random: what was acknowledged is found, and nothing else', { timeout: 120_000 }, async (t) => {
  const { directory, dice } = start(t);
  const torture = new MailTorture(directory, dice);
  await meet({ work: 'mail', steps: killSteps, atOnce: tormentedAtOnce }, async (torments) => (await torture.round(torments)).map(isMet));
  await torture.roundCutAtRandom();
  flagTraces = sumOfTraces(flagTraces, torture.flagTraces);
});

test('mailboxes are changed on disks that are full, and whose flushes fail: what was refused has not happened; who can not write the header of the index ends at once', { timeout: 120_000 }, async (t) => {
  const { directory, dice } = start(t);
  const torture = new MailTorture(directory, dice);
  await torture.roundCutAtRandom();
  let count = 1;
  await meet({ work: 'faults', steps: faultSteps, atOnce: tormentedAtOnce }, async (torments) => {
    const counted = torments.map((torment) => (torment.step === headerStep ? { ...torment, count: (count += 1) } : torment));
    const reports = await torture.round(counted);
    return reports.map((report, index) => {
      if (counted[index]?.step !== headerStep) return isMet(report);
      if (!isHeaderWrite(report.call)) return false; // a page
      assert.equal(report.end, 'died');
      return true;
    });
  });
  flagTraces = sumOfTraces(flagTraces, torture.flagTraces);
});

test('a storage is compacted by processes that are killed at every step: all mail is there, before and after', { timeout: 120_000 }, async (t) => {
  const { directory, dice } = start(t);
  const torture = new MailTorture(directory, dice);
  await torture.round([]);
  await meet({ work: 'compact', steps: compactSteps, atOnce: 1 }, async (torments) => Promise.all(torments.map(async (torment) => await torture.compact(torment, torment.step === tidyStep ? 'a worker' : 'nobody') === 'yes')));
  flagTraces = sumOfTraces(flagTraces, torture.flagTraces);
});

test('an index that is spoilt in many places is repaired by processes that are killed at every step: all is as the ledger has it', { timeout: 120_000 }, async (t) => {
  const { directory, dice } = start(t);
  const torture = new MailTorture(directory, dice);
  await torture.round([]);
  await meet({ work: 'repair', steps: repairSteps, atOnce: repairSteps.length }, async (torments) => (await torture.repair(torments)).map((one) => one === 'yes'));
  flagTraces = sumOfTraces(flagTraces, torture.flagTraces);
});

test('mail goes through a queue whose node is killed at every step: each message is delivered exactly once', { timeout: 120_000 }, async (t) => {
  const { directory, dice } = start(t);
  const torture = new QueueTorture(directory, dice);
  await meet({ work: 'queue', steps: killSteps, atOnce: 1 }, async (torments) => Promise.all(torments.map(async (torment) => (await torture.round({ ...torment, where: 'queue' })) !== undefined)));
  for (const where of ['queue', 'mail'] as const) await torture.round({ step: dice.pick(faultSteps), count: 3, where });
  t.diagnostic(`${await torture.verify()} messages`);
});

test('every named step has struck', () => {
  assert.deepEqual(namedSteps.filter((name) => !struck.has(name)), [], 'named steps at which nothing was killed');
});

test('changes of flags were kept beside the rows, and written into them', (t) => {
  t.diagnostic(describedTraces(flagTraces));
  assert.ok(flagTraces.kept > 0, 'none was kept');
  assert.ok(flagTraces.folded > 0, 'none that was kept was written into the rows');
});
