/** What damage has left of messages of the queue holds up no other mail; of a message whose bytes are gone the sender hears in time. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { change } from '../storage/damage.ts';
import { inboxOf, messageOf, openLeg, pieces, TestCluster, until } from './cluster.ts';
import { readReport } from './read-report.ts';
import type { TestNode } from './test-node.ts';

/** Leaves a message in the node's queue for it to deliver. */
async function leave(node: TestNode, subject: string, { from, to }: { readonly from: string; readonly to: string }): Promise<void> {
  const leg = await openLeg(node.ports.lmtp);
  await leg.mail({ address: from, extra: new Map([['XWAYBILL-CUSTODIAN', true]]) });
  await leg.rcpt({ address: to });
  assert.equal((await leg.data(pieces(messageOf(subject))))[0]?.code, 250);
  await leg.quit();
}

test('A message whose bytes are lost holds up no other mail, neither when its sender is to hear of the delay nor when it is given up; the sender hears of both', async (t) => {
  const cluster = new TestCluster(t);
  const before = await cluster.start(t, 'be1', { runner: 'no' });
  for (const subject of ['lost one', 'lost two']) await leave(before, subject, { from: 'alice@example.com', to: 'carol@example.com' });
  await before.stop();
  const packs = join(cluster.directory, 'be1', 'queue', 'packs');
  for (const name of readdirSync(packs)) rmSync(join(packs, name));

  const be1 = await cluster.start(t, 'be1', { retry: { delayNoticeAfterMs: 300, expireAfterMs: 5000 } });
  await new Promise((resolve) => setTimeout(resolve, 1000));
  for (const subject of ['one', 'two', 'three']) await leave(be1, subject, { from: 's@example.net', to: 'erin@example.com' });
  await until('all other mail is there', async () => (await inboxOf(be1, 'erin@example.com')).length === 3, 3000);
  await until('the queue is empty', () => be1.processing.list({ from: '', limit: 1 }).length === 0, 15_000);
  const reports = await Promise.all((await inboxOf(be1, 'alice@example.com')).map(readReport));
  const said = reports.map(({ status: [, recipient] }) => `${String(recipient?.get('final-recipient'))} ${String(recipient?.get('action'))} ${String(recipient?.get('diagnostic-code'))}`);
  const carol = (action: string): string => `rfc822; carol@example.com ${action} X-Waybill; the message cannot be read`;
  assert.deepEqual(said.sort(), [carol('delayed'), carol('delayed'), carol('failed'), carol('failed')]);
});

test('Times at which no message is due hold up no other mail', async (t) => {
  const cluster = new TestCluster(t);
  const before = await cluster.start(t, 'be1', { runner: 'no' });
  await leave(before, 'lost', { from: 'alice@example.com', to: 'carol@example.com' });
  await before.stop();
  const queue = join(cluster.directory, 'be1', 'queue');
  await change(queue, 'items', () => 'remove');
  const be1 = await cluster.start(t, 'be1');
  for (const subject of ['one', 'two', 'three']) await leave(be1, subject, { from: 's@example.net', to: 'erin@example.com' });
  await until('all other mail is there', async () => (await inboxOf(be1, 'erin@example.com')).length === 3, 5000);
  await be1.stop();
  await assert.rejects(change(queue, 'due', () => 'remove'), /no entry of due fits/, 'the time is struck');
});
