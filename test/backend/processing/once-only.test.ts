/** What the system itself mails once: one copy for a key, however often and from however many sides it is given, after a restart too. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inboxOf, messageOf, TestCluster, until } from './cluster.ts';

test('under one key one message is taken, by several at once and after a restart; another key is another message', async (t) => {
  const cluster = new TestCluster(t);
  const bytes = Buffer.from(messageOf('report of the day'));
  const message = { from: 'postmaster@example.com', to: ['alice@example.com'], bytes };
  const first = await cluster.start(t, 'be1', { runner: 'no' });
  assert.equal(first.processing.onceOnly.has('day 1'), false);
  const ids = await Promise.all(Array.from({ length: 5 }, async () => first.processing.onceOnly.send('day 1', message)));
  assert.equal(ids.filter((id) => id !== undefined).length, 1);
  assert.equal(first.processing.onceOnly.has('day 1'), true);
  await first.stop(); // nothing was delivered yet
  const second = await cluster.start(t, 'be1');
  assert.deepEqual([second.processing.onceOnly.has('day 1'), second.processing.onceOnly.has('day 2'), await second.processing.onceOnly.send('day 1', message)], [true, false, undefined]);
  await until('it is delivered', async () => (await inboxOf(second, 'alice@example.com')).length === 1);
  assert.ok(await second.processing.onceOnly.send('day 2', message) !== undefined);
  await until('the other is delivered, too', async () => (await inboxOf(second, 'alice@example.com')).length === 2);
  await until('the queue is empty', () => second.processing.list({ from: '', limit: 1 }).length === 0);
});
