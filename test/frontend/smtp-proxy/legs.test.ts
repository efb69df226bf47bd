/** Legs are kept between the messages of one client session, and what the back-end must know of the client is still true. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultBackendTimeouts } from '../../../frontend/smtp-proxy/smtp-proxy.ts';
import { eventually } from '../../harness/people.ts';
import { mxClient, sendMessage, startCluster } from './cluster.ts';

test('messages of one session go over the same connections, whoever of several back-ends gets them', async (t) => {
  const cluster = await startCluster(t);
  const client = await mxClient(t, cluster);
  const turns = [['alice'], ['bob'], ['alice', 'bob'], ['carol'], ['bob'], ['bob', 'carol']];
  for (const users of turns) {
    await sendMessage(client, users.map((user) => `${user}@example.com`));
    await client.reply(250);
  }
  assert.deepEqual([cluster.be1.connections, cluster.be2.connections], [1, 1]);
  assert.equal(cluster.be1.messages.length + cluster.be2.messages.length, turns.length);
  await client.ask('QUIT', 221);
  await eventually(async () => Promise.resolve(cluster.be1.ends.length + cluster.be2.ends.length === 2));
  assert.deepEqual([cluster.be1.ends, cluster.be2.ends], [['quit'], ['quit']]);
  assert.equal(cluster.be1.confirmed() + cluster.be2.confirmed(), turns.length);
});

test('a client that goes on has confirmed the message before, also when it is cut later; the last one is not', async (t) => {
  const cluster = await startCluster(t);
  const client = await mxClient(t, cluster);
  await sendMessage(client, ['alice@example.com']);
  await client.reply(250);
  assert.equal(cluster.be1.confirmed(), 0);
  await sendMessage(client, ['bob@example.com']);
  await client.reply(250);
  client.close();
  await eventually(async () => Promise.resolve(cluster.be1.ends.length + cluster.be2.ends.length === 2));
  assert.deepEqual([cluster.be1.confirmed(), cluster.be2.confirmed()], [1, 0]);
  assert.deepEqual([cluster.be1.ends, cluster.be2.ends], [['quit'], ['cut']]);
});

test('a client that names itself anew is named anew to the back-end', async (t) => {
  const cluster = await startCluster(t);
  const client = await mxClient(t, cluster);
  await sendMessage(client, ['alice@example.com']);
  await client.reply(250);
  await client.ask('EHLO other.example.net', 250);
  await sendMessage(client, ['alice@example.com']);
  await client.reply(250);
  assert.deepEqual(cluster.be1.mails.map(({ peer }) => peer.hello), ['mail.example.net', 'other.example.net']);
});

test('a kept connection that the back-end has closed is no sign that it is down', async (t) => {
  const cluster = await startCluster(t, { backendDownMs: 60_000 });
  const client = await mxClient(t, cluster);
  await sendMessage(client, ['alice@example.com']);
  await client.reply(250);
  await client.ask('RSET', 250);
  cluster.be1.cut();
  await sendMessage(client, ['alice@example.com']);
  await client.reply(250);
  assert.deepEqual([cluster.be1.messages.length, cluster.be1.connections, cluster.be2.messages.length], [2, 2, 0]);
});

test('a connection that died without a word while it rested is found out before a message relies on it', async (t) => {
  const cluster = await startCluster(t, { backendDownMs: 60_000, backendTimeouts: { ...defaultBackendTimeouts, commandMs: 500 } });
  const client = await mxClient(t, cluster);
  await sendMessage(client, ['alice@example.com']);
  await client.reply(250);
  await client.ask('RSET', 250);
  cluster.be1.freeze();
  await sleep(1100); // longer than a kept leg is trusted
  await sendMessage(client, ['alice@example.com']);
  await client.reply(250);
  assert.deepEqual([cluster.be1.messages.length, cluster.be1.connections, cluster.be2.messages.length], [2, 2, 0]);
});

test('messages in chunks go the same way as others, and one that is given up leaves nothing behind', async (t) => {
  const cluster = await startCluster(t);
  const client = await mxClient(t, cluster);
  for (const users of [['alice'], ['alice', 'bob']]) {
    client.sayRaw(`MAIL FROM:<s@example.net>\r\n${users.map((user) => `RCPT TO:<${user}@example.com>\r\n`).join('')}BDAT 10\r\n.\r\nhello\r\nBDAT 2 LAST\r\nx\r`);
    for (let replies = users.length + 2; replies > 0; replies -= 1) await client.reply(250);
    await client.reply(/^550 5\.6\.0 bare <CR>/);
    client.sayRaw(`MAIL FROM:<s@example.net>\r\n${users.map((user) => `RCPT TO:<${user}@example.com>\r\n`).join('')}BDAT 10\r\n.\r\nhello\r\nBDAT 3 LAST\r\nx\r\n`);
    for (let replies = users.length + 3; replies > 0; replies -= 1) await client.reply(250);
  }
  await client.ask('MAIL FROM:<s@example.net>', 250);
  await client.ask('RCPT TO:<bob@example.com>', 250);
  client.sayRaw('BDAT 3\r\na\r\n');
  await client.reply(250);
  await client.ask('RSET', 250);
  await sendMessage(client, ['carol@example.com']);
  await client.reply(250);
  const taken = [...cluster.be1.messages, ...cluster.be2.messages];
  assert.deepEqual(taken.map(({ text }) => text).sort(), ['.\r\nhello\r\nx\r\n', '.\r\nhello\r\nx\r\n', 'Subject: hello\r\n\r\nbody\r\n']);
});

test('a refused message costs the leg, not the next message', async (t) => {
  const cluster = await startCluster(t);
  const client = await mxClient(t, cluster);
  await sendMessage(client, ['alice@example.com'], 'a\nb\r\n');
  await client.reply(/^550 5\.6\.0 /);
  await sendMessage(client, ['alice@example.com']);
  await client.reply(250);
  assert.equal(cluster.be1.messages.length, 1);
});
