/** \Recent (RFC 3501 section 2.3.2) across worker processes and nodes; within one process `conversations/recent.txt` and the model have it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Dialogue } from '../../harness/dialogue.ts';
import { messageAbout } from './conversation.ts';
import { deliver, password, startServer } from './harness.ts';
import { close, deliverTo, pair } from './pairs.ts';
import { workerOf } from './second-worker.ts';
import { demandOk, startTwoNodes } from './two-nodes.ts';

const address = 'recent@example.com';

async function logIn(port: number): Promise<Dialogue> {
  const dialogue = await Dialogue.connect({ port, tls: 'implicit' });
  await demandOk(dialogue, `LOGIN ${address} "${password}"`);
  return dialogue;
}

async function recentTo(dialogue: Dialogue, command: string): Promise<string> {
  return (await demandOk(dialogue, command)).filter((line) => / RECENT$/.test(line)).join();
}

test('What a session was told of is old to those of another worker as soon as its own writes anything, or a moment later', async (t) => {
  const server = await startServer();
  t.after(async () => server.stop());
  const target = { storage: server.storage, address, mailbox: 'INBOX' };
  await deliver(target, messageAbout('one'));
  const [one, other] = [await logIn(server.ports.tls), await logIn(await workerOf(t, server.directory))];
  assert.equal(await recentTo(other, 'EXAMINE INBOX'), '* 1 RECENT');
  assert.equal(await recentTo(one, 'SELECT INBOX'), '* 1 RECENT');
  await demandOk(one, 'STORE 1 +FLAGS.SILENT (\\Seen)');
  assert.equal(await recentTo(other, 'SELECT INBOX'), '* 0 RECENT');
  await deliver(target, messageAbout('two'));
  assert.equal(await recentTo(one, 'NOOP'), '* 2 RECENT');
  while ((await recentTo(other, 'EXAMINE INBOX')) !== '* 0 RECENT') await sleep(50); // a second at most
  one.close();
  other.close();
});

test('A guest from another node who may change a folder takes from its owner what is recent, one who may only read does not', async (t) => {
  const cluster = await startTwoNodes();
  t.after(async () => cluster.stop());
  const [reads, writes] = [await pair(cluster, 'recent-reads', 'lr'), await pair(cluster, 'recent-writes', 'lrs')];
  for (const { guest, owner, inbox, ownerAddress } of [reads, writes]) {
    for (const subject of ['one', 'two']) await deliverTo(cluster, ['be2', ownerAddress], subject);
    assert.deepEqual(await demandOk(guest, `STATUS ${inbox} (RECENT)`), [`* STATUS ${inbox} (RECENT 2)`]);
    assert.equal(await recentTo(guest, `SELECT ${inbox}`), '* 2 RECENT');
    assert.deepEqual(await demandOk(guest, `STATUS ${inbox} (RECENT)`), [`* STATUS ${inbox} (RECENT 2)`], 'its own');
    assert.deepEqual(await demandOk(guest, 'SEARCH RECENT'), ['* SEARCH 1 2']);
    assert.deepEqual(await demandOk(guest, `ESEARCH IN (mailboxes (${inbox} INBOX)) RETURN (COUNT) OLD`), []);
    assert.deepEqual(await demandOk(owner, 'STATUS INBOX (RECENT)'), [`* STATUS INBOX (RECENT ${guest === reads.guest ? '2' : '0'})`]);
    await demandOk(guest, 'ENABLE IMAP4rev2');
    assert.match((await demandOk(guest, 'FETCH 1 FLAGS')).join(), /^\* 1 FETCH \(FLAGS \(\\Flagged \$Work\)\)$/);
  }
  close(reads);
  close(writes);
});
