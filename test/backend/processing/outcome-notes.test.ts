/** What a server outside has taken is not sent to it again because something of it could not be written down at once. */
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { inboxOf, messageOf, TestCluster, until } from './cluster.ts';
import { readReport } from './read-report.ts';
import { routeTo, startStrictWorld } from './strict-world.ts';
import { submit } from './submit.ts';

const refused = '550@example.net';

test('On a disk without room for anything new the sender hears of who was refused, and the others get the message once', async (t) => {
  const world = await startStrictWorld(t);
  const cluster = new TestCluster(t);
  const before = await cluster.start(t, 'be1', { runner: 'no' });
  await submit(before, messageOf('once'), { to: [refused, 'fine@example.net'] });
  await before.stop();
  const be1 = await cluster.start(t, 'be1', { ...routeTo(world), queueReserveBytes: 2 ** 60 });
  await until('the sender hears', async () => (await inboxOf(be1, 'alice@example.com')).length === 1, 5000);
  await until('the queue is empty', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
  assert.deepEqual(world.taken.map(({ to }) => to), [['fine@example.net']]);
});

test('Where no report can be made the others get the message once, and who was refused is reported as soon as it can', async (t) => {
  const cluster = new TestCluster(t);
  const packs = join(cluster.directory, 'be1', 'queue', 'packs');
  const taken: string[][] = [];
  const world = await startStrictWorld(t, { onData: (stream, { envelope }, done) => {
    stream.resume().on('end', () => {
      taken.push(envelope.rcptTo.map(({ address }) => address));
      if (taken.length === 1) renameSync(packs, `${packs}-away`);
      done();
    });
  } });
  const before = await cluster.start(t, 'be1', { runner: 'no' });
  await submit(before, messageOf('once'), { to: [refused, { address: 'fine@example.net', notify: ['SUCCESS', 'FAILURE'] }] });
  await before.stop();
  const be1 = await cluster.start(t, 'be1', routeTo(world));
  await until('it is sent', () => taken.length > 0);
  await sleep(1500);
  assert.deepEqual(taken, [['fine@example.net']]);
  const [item] = be1.processing.list({ from: '', limit: 1 });
  assert.deepEqual(item?.recipients.map(({ state: { at } }) => at), ['waiting', 'finished']);
  renameSync(`${packs}-away`, packs);
  await until('the queue is empty', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
  const reports = await Promise.all((await inboxOf(be1, 'alice@example.com')).map(readReport));
  assert.deepEqual(reports.map(({ status: [, recipient] }) => `${String(recipient?.get('final-recipient'))} ${String(recipient?.get('action'))}`), [`rfc822; ${refused} failed`]);
  assert.deepEqual(taken, [['fine@example.net']]);
});
