/** Questions between workers of which one is busy: nobody takes what the others say for the whole. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Jobs } from '../../../backend/administration/jobs.ts';
import { runnerLine } from '../../../backend/processing/runner-line.ts';
import { createLog } from '../../../shared/log/log.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { askAll, WorkerSiblings } from '../../../shared/service/siblings.ts';
import { WorkerNode } from '../../harness/worker-node.ts';

const log = createLog({ node: 'test', level: 'silent' });
const isTimeout = (thrown: unknown): boolean => isFailure(thrown, 'timed-out');

test('who asks learns how many were silent, and who is told of it hears it once; who needs all answers gets all or none', async () => {
  const node = new WorkerNode();
  const [asker, other, busy] = [node.worker(), node.worker(), node.worker()];
  for (const [index, { siblings }] of [asker, other, busy].entries()) siblings.answer('who', () => index);
  const told: unknown[] = [];
  asker.siblings.onSilence((topic, silent) => told.push([topic, silent]));
  assert.deepEqual(await asker.siblings.ask('who', null), { answers: [0, 1, 2], silent: 0 });
  assert.deepEqual(await askAll(asker.siblings, 'who', null), [0, 1, 2]);
  const goOn = busy.beBusy();
  for (let time = 0; time < 2; time += 1) assert.deepEqual(await asker.siblings.ask('who', null, 20), { answers: [0, 1], silent: 1 });
  await assert.rejects(askAll(asker.siblings, 'who', null), isTimeout);
  assert.deepEqual(told, [['who', 1]]);
  const whole = askAll(asker.siblings, 'who', null);
  setTimeout(goOn, 1500); // later than others are waited for
  assert.deepEqual(await whole, [0, 1, 2]);
});

test('nobody waits for a worker that has ended', async () => {
  const node = new WorkerNode();
  const [asker, other, ending] = [node.worker(), node.worker(), node.worker()];
  for (const [index, { siblings }] of [asker, other, ending].entries()) siblings.answer('who', () => index);
  ending.beBusy();
  const beganMs = performance.now();
  const all = askAll(asker.siblings, 'who', null);
  setTimeout(() => ending.end(), 50);
  assert.deepEqual(await all, [0, 1]);
  assert.ok(performance.now() - beganMs < 3000);
});

test('long work is not begun twice, nor said to be lost, while the worker that does it has no time to say so', async () => {
  const node = new WorkerNode();
  const [here, there] = [node.worker(), node.worker()];
  const [jobs, others] = [new Jobs(here.siblings, log), new Jobs(there.siblings, log)];
  const end = Promise.withResolvers<undefined>();
  const order = { kind: 'compact', subject: 'storages', work: async () => end.promise.then(() => ({})) } as const;
  const begun = await others.begin(order);
  const goOn = there.beBusy();
  await Promise.all([assert.rejects(jobs.begin(order), isTimeout), assert.rejects(jobs.show(begun.id), isTimeout)]);
  goOn();
  await assert.rejects(jobs.begin(order), (thrown) => isFailure(thrown, 'in-use'));
  end.resolve(undefined);
  await others.stop();
});

test('a message is not said to be at rest while the worker that delivers it has no time to say so', async () => {
  const node = new WorkerNode();
  const [here, there] = [node.worker(), node.worker()];
  const line = runnerLine(here.siblings, { tryNow: () => undefined, isUnderWay: () => false });
  runnerLine(there.siblings, { tryNow: () => undefined, isUnderWay: (id) => id === 'one' });
  assert.deepEqual([await line.isUnderWay('one'), await line.isUnderWay('two')], [true, false]);
  there.beBusy();
  await assert.rejects(line.isUnderWay('one'), isTimeout);
});

test('under a supervisor that an older version of the program started, which tells only how many were asked, all answers are waited for', async () => {
  const worker: WorkerSiblings = new WorkerSiblings((report) => {
    if (report.kind !== 'ask') return;
    worker.receive({ kind: 'asked', round: report.round, others: 2 });
    worker.receive({ kind: 'answer', round: report.round, answer: 'one' });
    if (report.topic === 'both') worker.receive({ kind: 'answer', round: report.round, answer: 'two' });
  });
  const beganMs = performance.now();
  assert.deepEqual(await worker.ask('both', undefined, 20_000), { answers: [null, 'one', 'two'], silent: 0 });
  assert.ok(performance.now() - beganMs < 10_000, 'nobody else is waited for');
  assert.deepEqual(await worker.ask('one', undefined, 50), { answers: [null, 'one'], silent: 1 });
});
