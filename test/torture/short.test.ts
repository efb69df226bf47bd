/** The short form of `npm run torture`: every named step at least once. The seed is printed. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Dice } from './dice.ts';
import { MailTorture } from './mail-rounds.ts';
import { QueueTorture } from './queue-rounds.ts';
import { faultSteps, headerStep, isHeaderWrite, killSteps, repairSteps, shortCompactSteps, someCount, tidyStep } from './steps.ts';
import type { Step } from './steps.ts';

/** A step is met if its call comes; chance is given a few tries. */
const triesForEachStep = 4;

function start(t: TestContext): { readonly directory: string; readonly dice: Dice } {
  const seed = randomInt(2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const directory = mkdtempSync(join(tmpdir(), 'waybill-torture-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return { directory, dice: new Dice(seed) };
}

/** Until the step has struck. */
async function meet(step: Step, round: (count: number) => Promise<boolean>, dice: Dice): Promise<void> {
  for (let tries = 0; tries < triesForEachStep; tries += 1) {
    const isMet = await round(tries === 0 ? Math.min(3, someCount(step, dice)) : 1);
    if (isMet) return;
  }
  assert.fail(`the step was never met: ${step.name}`);
}

test('mailboxes are changed by processes that are killed at every step, and at random: what was acknowledged is found, and nothing else', { timeout: 120_000 }, async (t) => {
  const { directory, dice } = start(t);
  const torture = new MailTorture(directory, dice, 2);
  for (const step of [...killSteps, tidyStep]) {
    await meet(step, async (count) => (await torture.round({ at: 'step', step, count })).struck === 'yes', dice);
  }
  await torture.round({ at: 'random' });
});

test('a storage is compacted by processes that are killed at every step: all mail is there, before and after', { timeout: 120_000 }, async (t) => {
  const { directory, dice } = start(t);
  const torture = new MailTorture(directory, dice, 1);
  await torture.round({ at: 'never' });
  for (const step of shortCompactSteps) {
    await meet(step, async (count) => {
      if (await torture.care('compact', { step, count: Math.min(count, 2) }) === 'yes') return true;
      await torture.round({ at: 'never' }); // it was all compacted
      return false;
    }, dice);
  }
});

test('an index that is spoilt in many places is repaired by processes that are killed at every step: all is as the ledger has it', { timeout: 120_000 }, async (t) => {
  const { directory, dice } = start(t);
  const torture = new MailTorture(directory, dice, 1);
  await torture.round({ at: 'never' });
  for (const step of repairSteps.slice(0, 2)) await meet(step, async (count) => await torture.care('repair', { step, count }) === 'yes', dice);
});

test('mailboxes are changed on disks that are full, and whose flushes fail: what was refused has not happened', { timeout: 120_000 }, async (t) => {
  const { directory, dice } = start(t);
  const torture = new MailTorture(directory, dice, 1);
  for (const step of faultSteps) {
    await meet(step, async (count) => (await torture.round({ at: 'step', step, count })).struck === 'yes', dice);
  }
});

test('a process that can not write the header of the index ends at once, and what it had answered is there', { timeout: 120_000 }, async (t) => {
  const { directory, dice } = start(t);
  const torture = new MailTorture(directory, dice, 1);
  await torture.round({ at: 'random' });
  for (let count = 2; ; count += 1) {
    assert.ok(count < 15, 'the header is written now and then');
    const { call, end } = await torture.round({ at: 'step', step: headerStep, count });
    if (!isHeaderWrite(call)) continue;
    assert.equal(end, 'died');
    return;
  }
});

test('mail goes through a queue whose node is killed at every step: each message is delivered exactly once', { timeout: 120_000 }, async (t) => {
  const { directory, dice } = start(t);
  const torture = new QueueTorture(directory, dice);
  for (const step of killSteps) {
    await meet(step, async (count) => (await torture.round({ step, count, where: 'queue' })) !== undefined, dice);
  }
  for (const where of ['queue', 'mail'] as const) await torture.round({ step: dice.pick(faultSteps), count: 3, where });
  t.diagnostic(`${await torture.verify()} messages`);
});
