/** Mail from users: TLS before AUTH, only one's own addresses, everything else is the back-end's word. */
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeReply } from '../../../shared/smtp/reply.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { refusal, startCluster } from './cluster.ts';
import type { TestCluster } from './cluster.ts';

function plain(user: string, password: string): string {
  return `AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`;
}

async function secured(t: TestContext, cluster: TestCluster): Promise<Dialogue> {
  const client = await Dialogue.connect({ port: cluster.submissions, tls: 'implicit' });
  t.after(() => client.close());
  await client.reply(220);
  await client.ask('EHLO laptop', 250);
  return client;
}

async function loggedIn(t: TestContext, cluster: TestCluster, user = 'alice@example.com'): Promise<Dialogue> {
  const client = await secured(t, cluster);
  await client.ask(plain(user, 'secret'), 235);
  return client;
}

test('on 587 nothing goes without STARTTLS, and then nothing without AUTH', async (t) => {
  const cluster = await startCluster(t, { leg: 'smtp' });
  const client = await Dialogue.connect({ port: cluster.submission });
  t.after(() => client.close());
  await client.reply(220);
  assert.ok(!(await client.ask('EHLO laptop', 250)).some((line) => line.includes('AUTH')));
  await client.ask(plain('alice@example.com', 'secret'), /^5\d\d /);
  await client.ask('MAIL FROM:<alice@example.com>', /^530 5\.7\.0 must issue a STARTTLS/);
  await client.ask('STARTTLS', 220);
  await client.startTls();
  assert.ok((await client.ask('EHLO laptop', 250)).some((line) => line.includes('AUTH PLAIN LOGIN')));
  await client.ask('MAIL FROM:<alice@example.com>', /^530 5\.7\.0 authentication required/);
  await client.ask(plain('alice@example.com', 'secret'), 235);
  await client.ask('MAIL FROM:<alice@example.com>', 250);
});

test('a message goes to the sender\'s own back-end, which is told who sends', async (t) => {
  const cluster = await startCluster(t, { leg: 'smtp' });
  const client = await loggedIn(t, cluster, 'bob@example.com');
  await client.ask('MAIL FROM:<Bob@example.com>', 250);
  await client.ask('RCPT TO:<someone@example.org>', 250);
  await client.ask('RCPT TO:<alice@example.com>', 250);
  await client.ask('DATA', 354);
  client.sayRaw('Subject: hi\r\n\r\n..\r\n.\r\n');
  assert.deepEqual(await client.reply(250), ['250 2.6.0 kept by be2']);
  assert.deepEqual(cluster.be2.messages, [{ text: 'Subject: hi\r\n\r\n.\r\n', recipients: ['someone@example.org', 'alice@example.com'], custodian: false }]);
  assert.deepEqual(cluster.be2.mails[0]?.peer, { address: '127.0.0.1', hello: 'laptop', protocol: 'ESMTPSA', user: 'bob@example.com' });
  await client.ask('QUIT', 221);
  for (let tries = 0; tries < 200 && cluster.be2.ends.length === 0; tries += 1) await sleep(25);
  assert.deepEqual(cluster.be2.ends, ['quit']);
  assert.equal(cluster.be1.mails.length, 0);
});

test('a wrong password is 535, an outage of the directory 454', async (t) => {
  const cluster = await startCluster(t, { leg: 'smtp' });
  const client = await secured(t, cluster);
  await client.ask(plain('alice@example.com', 'wrong'), /^535 5\.7\.8 /);
  await client.ask(plain('nobody@example.com', 'secret'), /^535 5\.7\.8 /);
  cluster.directoryUp = false;
  await client.ask(plain('alice@example.com', 'secret'), /^454 4\.7\.0 /);
});

test('guesses of passwords are counted', async (t) => {
  const cluster = await startCluster(t, { leg: 'smtp' });
  const client = await secured(t, cluster);
  for (let count = 1; count < 5; count += 1) await client.ask(plain('alice@example.com', 'wrong'), 535);
  client.say(plain('alice@example.com', 'wrong'));
  await client.reply(535);
  await client.reply(421);
  await client.closed();
});

test('only the user\'s own addresses may be the sender: canonical, alias, or the null path', async (t) => {
  const cluster = await startCluster(t, { leg: 'smtp' });
  const client = await loggedIn(t, cluster);
  await client.ask('MAIL FROM:<bob@example.com>', /^553 5\.7\.1 /);
  await client.ask('MAIL FROM:<alice@example.org>', /^553 5\.7\.1 /);
  for (const own of ['ALICE@example.com', 'alias-alice@example.com', '']) {
    await client.ask(`MAIL FROM:<${own}>`, 250);
    await client.ask('RSET', 250);
  }
  assert.deepEqual(cluster.be1.mails.map(({ sender }) => sender.address), ['ALICE@example.com', 'alias-alice@example.com', '']);
});

test('the back-end\'s refusals are passed on', async (t) => {
  const cluster = await startCluster(t, { leg: 'smtp' });
  cluster.be1.onRecipient = ({ address }) => {
    if (address.startsWith('no')) throw refusal(550, '5.1.1', 'no such user');
  };
  cluster.be1.onMessage = async (bytes) => {
    for await (const piece of bytes) assert.ok(piece.length > 0);
    return makeReply(552, '5.2.2', 'sent mailbox full');
  };
  const client = await loggedIn(t, cluster);
  await client.ask('MAIL FROM:<alice@example.com>', 250);
  assert.deepEqual(await client.ask('RCPT TO:<nobody@example.com>', 550), ['550 5.1.1 no such user']);
  await client.ask('RCPT TO:<x@example.org>', 250);
  await client.ask('DATA', 354);
  client.sayRaw('x\r\n.\r\n');
  assert.deepEqual(await client.reply(552), ['552 5.2.2 sent mailbox full']);
});

type Step = 'MAIL' | 'RCPT' | 'DATA';

for (const diesBefore of ['MAIL', 'RCPT', 'DATA'] as const) {
  test(`the sender's back-end is down at ${diesBefore}: another one takes the whole message as custodian, for the same user`, async (t) => {
    const cluster = await startCluster(t, { leg: 'smtp' });
    const client = await loggedIn(t, cluster);
    const at = async (step: Step): Promise<void> => {
      if (step === diesBefore) await cluster.be1.kill();
    };
    await at('MAIL');
    await client.ask('MAIL FROM:<alias-alice@example.com> RET=HDRS ENVID=e1', 250);
    await client.ask('RCPT TO:<x@example.org>', 250);
    await at('RCPT');
    await client.ask('RCPT TO:<bob@example.com> NOTIFY=NEVER', 250);
    await at('DATA');
    await client.ask('DATA', 354);
    client.sayRaw('Subject: x\r\n\r\n.\r\n');
    await client.reply(/^250 2\.6\.0 kept by be2/);
    assert.deepEqual(cluster.be2.messages, [{ text: 'Subject: x\r\n\r\n', recipients: ['x@example.org', 'bob@example.com'], custodian: true }]);
    const [mail] = cluster.be2.mails;
    assert.deepEqual([mail?.peer.user, mail?.sender.address, mail?.sender.envid], ['alice@example.com', 'alias-alice@example.com', 'e1']);
    await client.ask('MAIL FROM:<bob@example.com>', /^553 5\.7\.1 /);
    await client.ask('QUIT', 221);
    for (let tries = 0; tries < 200 && cluster.be2.ends.length === 0; tries += 1) await sleep(25);
    assert.deepEqual(cluster.be2.ends, ['quit']);
  });
}

test('a custodian that refuses what the lost back-end had accepted: the client comes again; every back-end down: the same', async (t) => {
  const cluster = await startCluster(t, { leg: 'smtp' });
  cluster.be2.onMail = () => {
    throw refusal(452, '4.3.1', 'not enough space');
  };
  const client = await loggedIn(t, cluster);
  await client.ask('MAIL FROM:<alice@example.com>', 250);
  await cluster.be1.kill();
  await client.ask('RCPT TO:<x@example.org>', /^451 4\.4\.1 /);
  await client.ask('RSET', 250);
  await cluster.be2.kill();
  await client.ask('MAIL FROM:<alice@example.com>', /^451 4\.4\.1 /);
  await client.ask('NOOP', 250);
});

test('a refusal of the sender\'s own back-end is its word: no custodian is asked', async (t) => {
  const cluster = await startCluster(t, { leg: 'smtp' });
  cluster.be1.onMail = () => {
    throw refusal(550, '5.7.1', 'sending is not allowed');
  };
  const client = await loggedIn(t, cluster);
  await client.ask('MAIL FROM:<alice@example.com>', /^550 5\.7\.1 sending/);
  assert.equal(cluster.be2.mails.length, 0);
});

test('the legs of a session are used again for its next messages, and each is confirmed when the client goes on', async (t) => {
  const cluster = await startCluster(t, { leg: 'smtp' });
  const client = await loggedIn(t, cluster);
  for (let count = 1; count <= 3; count += 1) {
    await client.ask('MAIL FROM:<alice@example.com>', 250);
    await client.ask('RCPT TO:<x@example.org>', 250);
    await client.ask('DATA', 354);
    await client.ask('x\r\n.', 250);
    assert.deepEqual([cluster.be1.messages.length, cluster.be1.connections, cluster.be1.confirmed()], [count, 1, count - 1]);
  }
  await client.ask('RSET', 250);
  await sleep(50);
  assert.equal(cluster.be1.confirmed(), 3);
  await client.ask('QUIT', 221);
  await sleep(50);
  assert.deepEqual(cluster.be1.ends, ['quit']);
});

test('killed before its reply: 451, never 250, and no other back-end is given the message', async (t) => {
  const cluster = await startCluster(t, { leg: 'smtp' });
  cluster.be1.onMessage = async (bytes) => {
    for await (const piece of bytes) assert.ok(piece.length > 0);
    await cluster.be1.kill();
    return undefined;
  };
  const client = await loggedIn(t, cluster);
  await client.ask('MAIL FROM:<alice@example.com>', 250);
  await client.ask('RCPT TO:<x@example.org>', 250);
  await client.ask('DATA', 354);
  client.sayRaw('x\r\n.\r\n');
  await client.reply(/^451 4\.4\.1 /);
  assert.equal(cluster.be2.messages.length, 0);
});

test('not kept here: the referral is followed once', async (t) => {
  const cluster = await startCluster(t, { leg: 'smtp' });
  cluster.be1.onMail = () => {
    throw refusal(451, '4.3.5', '<referral be2> moved');
  };
  const client = await loggedIn(t, cluster);
  await client.ask('MAIL FROM:<alice@example.com>', 250);
  assert.equal(cluster.be2.mails.length, 1);
});

test('commands pipelined before the TLS handshake are not run behind it', async (t) => {
  const cluster = await startCluster(t, { leg: 'smtp' });
  const client = await Dialogue.connect({ port: cluster.submission });
  t.after(() => client.close());
  await client.reply(220);
  await client.ask('EHLO laptop', 250);
  client.sayRaw(`STARTTLS\r\nEHLO evil\r\n${plain('alice@example.com', 'secret')}\r\n`);
  await client.reply(220);
  await client.startTls();
  await client.ask('EHLO laptop', 250);
  await client.ask('MAIL FROM:<alice@example.com>', /^530 /);
});

test('a stop says 421 to clients at rest', async (t) => {
  const cluster = await startCluster(t, { leg: 'smtp' });
  const client = await loggedIn(t, cluster);
  const stopped = cluster.stop(2000);
  await client.reply(/^421 4\.3\.2 /);
  client.close();
  await stopped;
});
