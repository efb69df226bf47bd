/** A mailbox that is not where the front-end thought: the back-end's referral is followed, once, and to nodes of ours only. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mxClient, refusal, sendMessage, startCluster } from './cluster.ts';

test('not kept here: the referral is followed, once, and the old route forgotten', async (t) => {
  const cluster = await startCluster(t, { rememberMs: 60_000 });
  let asked = 0;
  cluster.be1.onRecipient = () => {
    asked += 1;
    throw refusal(451, '4.3.5', '<referral be2> moved');
  };
  const client = await mxClient(t, cluster);
  await sendMessage(client, ['alice@example.com']);
  await client.reply(250);
  cluster.directory.set('alice@example.com', 'be2');
  await sendMessage(client, ['alice@example.com']);
  await client.reply(250);
  assert.equal(asked, 1);
  assert.equal(cluster.be2.messages.length, 2);
  cluster.be2.onRecipient = () => {
    throw refusal(451, '4.3.5', '<referral be1> moved');
  };
  await client.ask('MAIL FROM:<s@example.net>', 250);
  assert.deepEqual(await client.ask('RCPT TO:<alice@example.com>', 451), ['451 4.3.5 the mailbox is being moved, try again later'], 'names of nodes stay inside');
});

test('a referral to a node that is not configured is not followed: the directory is asked afresh, and the old route forgotten', async (t) => {
  const cluster = await startCluster(t, { rememberMs: 60_000 });
  let asked = 0;
  cluster.be1.onRecipient = () => {
    asked += 1;
    throw refusal(451, '4.3.5', '<referral evil.example.net> moved');
  };
  const client = await mxClient(t, cluster);
  await client.ask('MAIL FROM:<s@example.net>', 250);
  await client.ask('RCPT TO:<alice@example.com>', /^451 4\.3\.5 /);
  assert.equal(asked, 2, 'the directory still said be1');
  await client.ask('RSET', 250);
  cluster.directory.set('alice@example.com', 'be2');
  for (const expected of [3, 3]) {
    await sendMessage(client, ['alice@example.com']);
    await client.reply(250);
    assert.equal(asked, expected);
  }
  assert.equal(cluster.be2.messages.length, 2);
});
