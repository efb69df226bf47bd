/** A queue that is locked for a snapshot, for longer than a commit waits: what was sent outside meanwhile is not sent again. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { messageOf, startWorld, TestCluster, until } from './cluster.ts';
import { routeTo } from './strict-world.ts';
import { submit } from './submit.ts';

test('While the queue is locked longer than a commit waits a message that a server outside has taken is not sent to it again', { timeout: 120_000 }, async (t) => {
  const taken: string[] = [];
  let locked: Promise<void> | undefined;
  const world = await startWorld(t, { onData: (stream, { envelope }, done) => {
    stream.resume().on('end', () => {
      taken.push(...envelope.rcptTo.map(({ address }) => address));
      locked ??= be1.processing.kept.environment.lock(Date.now() + 100_000);
      void locked.then(() => done());
    });
  } });
  const be1 = await new TestCluster(t).start(t, 'be1', routeTo(world));
  await submit(be1, messageOf('once'), { to: ['fine@example.net'] });
  await until('it is sent', () => taken.length > 0);
  await sleep(45_000);
  assert.equal(await be1.processing.kept.environment.unlock(), 'held');
  await until('the queue is empty', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
  assert.deepEqual(taken, ['fine@example.net']);
});
