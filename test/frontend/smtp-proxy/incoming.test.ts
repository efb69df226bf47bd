/** Mail from the world: who is accepted, where a message goes, and what the client hears of it. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../backend/processing/cluster.ts';
import { makeReply } from '../../../shared/smtp/reply.ts';
import { mxClient, refusal, sendMessage, startCluster } from './cluster.ts';

test('a message for one user streams to its owner unchanged, and the client is named there', async (t) => {
  const cluster = await startCluster(t);
  const wishes: object[] = [];
  cluster.be1.onRecipient = ({ notify, orcpt }) => void wishes.push({ notify, orcpt });
  const client = await mxClient(t, cluster);
  await client.ask('MAIL FROM:<sender@example.net> SIZE=30 BODY=8BITMIME RET=HDRS ENVID=a+2Bb', 250);
  await client.ask('RCPT TO:<Alias-Alice@EXAMPLE.com> NOTIFY=FAILURE ORCPT=rfc822;x+2By@z', 250);
  await client.ask('DATA', 354);
  client.sayRaw('Subject: x\r\n\r\n..dot\r\n\xe9\r\n.\r\n');
  assert.deepEqual(await client.reply(250), ['250 2.6.0 kept by be1']);
  assert.deepEqual(cluster.be1.messages, [{ text: 'Subject: x\r\n\r\n.dot\r\n\xc3\xa9\r\n', recipients: ['Alias-Alice@example.com'], custodian: false }]);
  const [mail] = cluster.be1.mails;
  assert.equal(mail?.sender.envid, 'a+b');
  assert.equal(mail.sender.ret, 'HDRS');
  assert.deepEqual(wishes, [{ notify: ['FAILURE'], orcpt: 'rfc822;x+y@z' }]);
  assert.match(String(mail.sender.extra?.get('XWAYBILL-SESSION')), /^[a-z2-7]{16}$/);
  assert.deepEqual(mail.peer, { address: '127.0.0.1', hello: 'mail.example.net', protocol: 'ESMTP', user: undefined });
  await client.ask('QUIT', 221);
  for (let tries = 0; tries < 200 && cluster.be1.ends.length === 0; tries += 1) await sleep(25);
  assert.deepEqual(cluster.be1.ends, ['quit'], 'QUIT confirms that the client had its 250');
  assert.equal(cluster.be2.mails.length, 0);
});

test('recipients without a domain are those of the primary domain', async (t) => {
  const cluster = await startCluster(t);
  const client = await mxClient(t, cluster);
  await client.ask('MAIL FROM:<sender@example.net>', 250);
  for (const bare of ['<alice>', '<carol> NOTIFY=NEVER', '<Postmaster>']) await client.ask(`RCPT TO:${bare}`, 250);
  await client.ask('RCPT TO:<nobody>', /^550 5\.1\.1/);
  for (const bad of ['<>', '<al ice>', '<"al"ice>', '<@example.com>', '<alice']) await client.ask(`RCPT TO:${bad}`, 501);
  assert.deepEqual(cluster.be1.recipients, ['alice@example.com', 'carol@example.com', 'Postmaster@example.com']);
});

test('unknown users, foreign domains and a silent directory get their own answers', async (t) => {
  const cluster = await startCluster(t);
  const client = await mxClient(t, cluster);
  await client.ask('MAIL FROM:<>', 250);
  await client.ask('RCPT TO:<nobody@example.com>', /^550 5\.1\.1 /);
  await client.ask('RCPT TO:<someone@example.org>', /^550 5\.7\.1 /);
  await client.ask('RCPT TO:<a..b@example.com>', /^501 5\.1\.3 /);
  cluster.directoryUp = false;
  await client.ask('RCPT TO:<alice@example.com>', /^451 4\.4\.3 /);
  await client.ask('RCPT TO:<nobody@example.com>', /^451 4\.4\.3 /);
  await client.ask('DATA', 503);
  cluster.directoryUp = true;
  await client.ask('RCPT TO:<Postmaster>', 250);
  assert.deepEqual(cluster.be1.recipients, ['Postmaster@example.com']);
});

test('a strange EHLO name or sender of one client does no harm to the next', async (t) => {
  const cluster = await startCluster(t, { backendDownMs: 60_000 });
  const strange = await mxClient(t, cluster);
  await strange.ask('EHLO in\u200bvisible=+', 250);
  await strange.ask('MAIL FROM:<a\\b@example.net>', /^501 5\.1\.7 /);
  await strange.ask('MAIL FROM:<bounce;[1]@example.net>', 250);
  await strange.ask('RCPT TO:<alice@example.com>', 250);
  assert.equal(cluster.be1.mails[0]?.peer.hello, undefined);
  const other = await mxClient(t, cluster);
  await sendMessage(other, ['bob@example.com']);
  await other.reply(250);
  assert.equal(cluster.be2.messages[0]?.custodian, false);
});

test('what the owner says of a recipient is passed on', async (t) => {
  const cluster = await startCluster(t);
  cluster.be1.onRecipient = ({ address }) => {
    if (address.startsWith('alice')) throw refusal(452, '4.2.2', 'mailbox full');
  };
  const client = await mxClient(t, cluster);
  await client.ask('MAIL FROM:<s@example.net>', 250);
  assert.deepEqual(await client.ask('RCPT TO:<alice@example.com>', 452), ['452 4.2.2 mailbox full']);
  await client.ask('RCPT TO:<carol@example.com>', 250);
});

test('a refusal of the whole message is passed on with its code', async (t) => {
  const cluster = await startCluster(t);
  cluster.be1.onMessage = async (bytes) => {
    for await (const piece of bytes) assert.ok(piece.length > 0);
    return makeReply(554, '5.7.1', 'rejected by policy');
  };
  const client = await mxClient(t, cluster);
  await sendMessage(client, ['alice@example.com']);
  assert.deepEqual(await client.reply(554), ['554 5.7.1 rejected by policy']);
});

test('a back-end that says 421 to the message does not end the client\'s session', async (t) => {
  const cluster = await startCluster(t);
  cluster.be1.onMessage = async (bytes) => {
    for await (const piece of bytes) assert.ok(piece.length > 0);
    return makeReply(421, '4.3.2', 'be1 is shutting down');
  };
  const client = await mxClient(t, cluster);
  await sendMessage(client, ['alice@example.com']);
  await client.reply(/^451 4\.4\.1 /);
  await client.ask('NOOP', 250);
});

test('a smuggled message never reaches a back-end, and the next clean one does', async (t) => {
  const cluster = await startCluster(t);
  const client = await mxClient(t, cluster);
  await sendMessage(client, ['alice@example.com'], 'a\r\n.\nMAIL FROM:<evil@example.net>\r\n');
  await client.reply(/^550 5\.6\.0 bare <LF>/);
  await sendMessage(client, ['alice@example.com']);
  await client.reply(250);
  assert.equal(cluster.be1.messages.length, 1);
  assert.deepEqual(cluster.be1.mails.map(({ sender }) => sender.address), ['sender@example.net', 'sender@example.net']);
});

test('a client that vanishes after the back-end said 250 leaves the delivery unconfirmed', async (t) => {
  const cluster = await startCluster(t);
  const client = await mxClient(t, cluster);
  await sendMessage(client, ['alice@example.com']);
  await client.reply(250);
  client.close();
  await until('the back-end sees the end', () => cluster.be1.ends.length > 0);
  assert.deepEqual(cluster.be1.ends, ['cut']);
});

test('a client that vanishes in the middle of a message leaves nothing at the back-end', async (t) => {
  const cluster = await startCluster(t);
  const client = await mxClient(t, cluster);
  await client.ask('MAIL FROM:<s@example.net>', 250);
  await client.ask('RCPT TO:<alice@example.com>', 250);
  await client.ask('DATA', 354);
  client.sayRaw('half a mess');
  await sleep(20);
  client.close();
  await until('the back-end sees the end', () => cluster.be1.ends.length > 0);
  assert.deepEqual(cluster.be1.messages, []);
  assert.deepEqual(cluster.be1.ends, ['cut']);
});

test('a slow back-end slows the client down; the front-end does not fill up', async (t) => {
  const cluster = await startCluster(t);
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let received = 0;
  cluster.be1.onMessage = async (bytes) => {
    for await (const piece of bytes) {
      if (received === 0) await released;
      received += piece.length;
    }
    return makeReply(250, '2.6.0', 'ok');
  };
  const socket = net.connect(cluster.mx, '127.0.0.1');
  t.after(() => socket.destroy());
  let replies = '';
  socket.on('data', (chunk: Buffer) => {
    replies += chunk.toString();
  });
  socket.write('EHLO c\r\nMAIL FROM:<s@example.net>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\n');
  const block = Buffer.from(`${'x'.repeat(98)}\r\n`.repeat(1000));
  let taken = 0;
  const push = async (): Promise<void> => {
    for (let count = 0; count < 450; count += 1) {
      if (!socket.write(block)) await once(socket, 'drain');
      taken += block.length;
    }
  };
  const pushed = push();
  await sleep(700);
  const takenWhileStalled = taken;
  release();
  await pushed;
  socket.write('.\r\n');
  while (!replies.includes('250 2.6.0 ok')) await once(socket, 'data');
  assert.equal(received, 45_000_000);
  // Two hops' kernel buffers (up to 10 MB each on loopback) and some of ours; the whole would be 45 MB.
  t.diagnostic(`taken while the back-end stood still: ${String(takenWhileStalled)} bytes`);
  assert.ok(takenWhileStalled < 25_000_000, `${String(takenWhileStalled)} bytes taken`);
});
