/** Mail whose owner is down, hangs, dies or is one of several: who takes it instead, and that 250 is never said too early. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { SessionSet } from '../../../frontend/login/session-set.ts';
import { defaultBackendTimeouts } from '../../../frontend/smtp-proxy/smtp-proxy.ts';
import { makeReply } from '../../../shared/smtp/reply.ts';
import { until } from '../../backend/processing/cluster.ts';
import { mxClient, refusal, sendMessage, startCluster } from './cluster.ts';

test('mail for an account whose move takes long is taken by a custodian, not refused', async (t) => {
  const cluster = await startCluster(t);
  cluster.be1.onRecipient = () => {
    if (cluster.be1.mails.at(-1)?.sender.extra?.has('XWAYBILL-CUSTODIAN') !== true) throw refusal(450, '4.2.0', 'mailbox is in use, try again later');
  };
  const client = await mxClient(t, cluster);
  await sendMessage(client, ['alice@example.com']);
  await client.reply(250);
  assert.deepEqual([...cluster.be1.messages, ...cluster.be2.messages].map(({ recipients, custodian }) => [recipients, custodian]), [[['alice@example.com'], true]]);
});

test('recipients on two back-ends: one custodian takes the message for all, once', async (t) => {
  const cluster = await startCluster(t);
  const client = await mxClient(t, cluster);
  await sendMessage(client, ['bob@example.com', 'alice@example.com', 'ALICE@example.com']);
  await client.reply(250);
  const all = [...cluster.be1.messages, ...cluster.be2.messages];
  assert.deepEqual(all.map(({ recipients, custodian }) => [recipients, custodian]), [[['bob@example.com', 'alice@example.com'], true]]);
});

test('an owner that is down does not delay mail: another back-end becomes custodian', async (t) => {
  const cluster = await startCluster(t);
  await cluster.be2.kill();
  const client = await mxClient(t, cluster);
  await sendMessage(client, ['bob@example.com']);
  await client.reply(250);
  assert.deepEqual(cluster.be1.messages.map(({ recipients, custodian }) => [recipients, custodian]), [[['bob@example.com'], true]]);
  assert.deepEqual(cluster.be1.named, ['bob@example.com be2'], 'and is told who keeps the mailbox');
});

test('an owner that dies between RCPT and DATA is replaced by a custodian', async (t) => {
  const cluster = await startCluster(t);
  const client = await mxClient(t, cluster);
  await client.ask('MAIL FROM:<s@example.net>', 250);
  await client.ask('RCPT TO:<bob@example.com>', 250);
  await cluster.be2.kill();
  await client.ask('DATA', 354);
  client.sayRaw('x\r\n.\r\n');
  await client.reply(250);
  assert.equal(cluster.be1.messages[0]?.custodian, true);
});

test('an owner that hangs at RCPT costs its time limit, not the message', async (t) => {
  const cluster = await startCluster(t, { backendTimeouts: { ...defaultBackendTimeouts, rcptMs: 100 } });
  cluster.be2.onRecipient = async () => sleep(2000);
  const client = await mxClient(t, cluster);
  await sendMessage(client, ['bob@example.com']);
  await client.reply(250);
  assert.deepEqual(cluster.be1.messages[0]?.recipients, ['bob@example.com']);
});

test('a node that hangs is found out by one client at a time, and is used again when it is back', async (t) => {
  const cluster = await startCluster(t, { backendDownMs: 2000, backendTimeouts: { ...defaultBackendTimeouts, mailMs: 200 } });
  let hanging = true;
  let tried = 0;
  cluster.be2.onMail = async () => {
    tried += 1;
    if (hanging) await sleep(1000);
  };
  const sendOne = async (): Promise<void> => {
    const client = await mxClient(t, cluster);
    await sendMessage(client, ['bob@example.com']);
    await client.reply(250);
  };
  await sendOne();
  assert.equal(tried, 1);
  await Promise.all([sendOne(), sendOne(), sendOne()]);
  assert.equal(tried, 1, 'nobody waits for a node known to hang');
  await sleep(2050);
  await Promise.all([sendOne(), sendOne(), sendOne()]);
  assert.equal(tried, 2, 'one asks whether it is back');
  hanging = false;
  await sleep(2050);
  await sendOne();
  await sendOne();
  assert.deepEqual([cluster.be2.messages.length, cluster.be1.messages.length], [2, 7]);
});

test('every back-end down: 451, and nothing is lost or bounced', async (t) => {
  const cluster = await startCluster(t);
  await Promise.all([cluster.be1.kill(), cluster.be2.kill()]);
  const client = await mxClient(t, cluster);
  await sendMessage(client, ['bob@example.com', 'alice@example.com']);
  await client.reply(/^451 4\.4\.1 /);
});

for (const recipients of [['alice@example.com'], ['alice@example.com', 'bob@example.com']]) {
  test(`a back-end killed before its reply: 451, never 250 (${String(recipients.length)} recipients)`, async (t) => {
    const cluster = await startCluster(t);
    let seen = '';
    cluster.be1.onMessage = async (bytes) => {
      for await (const piece of bytes) seen += piece.toString();
      await cluster.be1.kill();
      await sleep(50);
      return makeReply(250, '2.6.0', 'too late');
    };
    const client = await mxClient(t, cluster);
    await sendMessage(client, recipients);
    await client.reply(/^451 4\.4\.1 /);
    assert.equal(seen, 'Subject: hello\r\n\r\nbody\r\n');
    assert.equal(cluster.be2.messages.length, 0, 'nobody else was given the message');
    await until('the back-end sees the end', () => cluster.be1.ends.length > 0);
    assert.deepEqual(cluster.be1.ends, ['cut'], 'the back-end keeps its delivery key');
  });
}

test('a back-end killed in the middle of the message: 451', async (t) => {
  const cluster = await startCluster(t);
  cluster.be1.onMessage = async (bytes) => {
    for await (const piece of bytes) {
      assert.ok(piece.length > 0);
      await cluster.be1.kill();
    }
    return undefined;
  };
  const client = await mxClient(t, cluster);
  await sendMessage(client, ['alice@example.com'], `${'x'.repeat(98)}\r\n`.repeat(50_000));
  await client.reply(/^451 4\.4\.1 /);
});

test('a custodian that answers differently for two recipients: 451, so that the client comes again', async (t) => {
  const cluster = await startCluster(t);
  cluster.be1.onMessage = async (bytes) => {
    for await (const piece of bytes) assert.ok(piece.length > 0);
    return [makeReply(250, '2.6.0', 'ok'), makeReply(550, '5.2.2', 'no')];
  };
  const client = await mxClient(t, cluster);
  await sendMessage(client, ['alice@example.com', 'carol@example.com']);
  await client.reply(/^451 4\.3\.0 /);
});

test('a client that hangs up while a custodian is being reached: nothing stands there as if the client had gone on', async (t) => {
  const clients = new SessionSet();
  const cluster = await startCluster(t, { clients });
  const [reached, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  cluster.be1.onOpen = async () => {
    reached.resolve();
    await goOn.promise;
  };
  const client = await mxClient(t, cluster);
  await client.ask('MAIL FROM:<s@example.net>', 250);
  await client.ask('RCPT TO:<bob@example.com>', 250);
  await cluster.be2.kill();
  await client.ask('DATA', 354);
  client.sayRaw('x\r\n.\r\n');
  await reached.promise;
  client.close();
  await until('the front-end sees it', () => clients.size === 0);
  goOn.resolve();
  await until('the custodian is left', () => cluster.be1.ends.length === 1);
  assert.deepEqual([cluster.be1.ends, cluster.be1.messages, cluster.be1.confirmed()], [['cut'], [], 0]);
});

test('a client that hangs up before the owner has answered makes nobody look down to others', async (t) => {
  const clients = new SessionSet();
  const cluster = await startCluster(t, { clients, backendDownMs: 60_000 });
  const [reached, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  cluster.be2.onMessage = async () => {
    reached.resolve();
    await goOn.promise;
    return undefined;
  };
  const hasty = await mxClient(t, cluster);
  await sendMessage(hasty, ['bob@example.com']);
  await reached.promise;
  hasty.close();
  await until('the front-end sees it', () => clients.size === 0);
  goOn.resolve();
  await until('the leg is cut', () => cluster.be2.ends.length === 1);
  const other = await mxClient(t, cluster);
  await sendMessage(other, ['bob@example.com']);
  await other.reply(250);
  assert.deepEqual([cluster.be2.messages.at(-1)?.custodian, cluster.be1.messages], [false, []]);
});
