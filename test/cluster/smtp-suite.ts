/** Mail from outside, on port 25 of either front-end. */
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { frontendNames } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { newMessage } from '../harness/messages.ts';
import { run } from '../harness/programs.ts';
import { SmtpSession, deliver } from '../harness/smtp-session.ts';

export function smtpSuite(cluster: () => Cluster): void {
  for (const node of frontendNames) {
    describe(`mail from outside through ${node}`, () => {
      oneTransaction(cluster, node);
      refusals(cluster, node);

      test('swaks delivers, and the message is there once', async () => {
        const { subject } = newMessage();
        const words = ['--server', `127.0.0.1:${String(cluster().port(node, 'smtp'))}`, '--helo', 'client.example.net'];
        const swaks = await run('swaks', [...words, '--from', 'sender@example.net', '--to', 'alice@example.com,bob@example.com', '--header', `Subject: ${subject}`]);
        assert.equal(swaks.code, 0, swaks.output + swaks.complaint);
        for (const user of ['alice', 'bob']) await findOnce(cluster(), { node, user }, subject);
      });
    });
  }
}

/** The message is in this user's INBOX exactly once. Answers its bytes. */
async function findOnce(cluster: Cluster, place: { readonly node: NodeName; readonly user: string }, subject: string): Promise<Buffer> {
  const imap = await ImapSession.logIn(cluster, place);
  try {
    const [uid] = await imap.findSoon(subject);
    return [...(await imap.messages(String(uid))).values()][0] ?? Buffer.alloc(0);
  } finally {
    imap.close();
  }
}

function oneTransaction(cluster: () => Cluster, node: NodeName): void {
  for (const user of ['alice', 'bob']) {
    test(`a message to ${user} is in that mailbox once, and in no other`, async () => {
      const { subject, bytes } = newMessage();
      assert.match(await deliver(cluster(), node, { from: 'sender@example.net', to: [`${user}@example.com`], bytes }), /^250 /);
      const stored = await findOnce(cluster(), { node, user }, subject);
      assert.ok(stored.subarray(-bytes.length).equals(bytes));
      assert.match(stored.toString('latin1'), /^Return-Path: <sender@example\.net>\r\nReceived: /);
      for (const other of ['carol', 'dave']) {
        const imap = await ImapSession.logIn(cluster(), { node, user: other });
        assert.deepEqual(await imap.find(subject), []);
        imap.close();
      }
    });
  }

  test('a message to users of both back-ends in one transaction reaches each of them once', async () => {
    const { subject, bytes } = newMessage();
    const users = ['alice', 'bob', 'carol', 'dave'];
    assert.match(await deliver(cluster(), node, { from: 'sender@example.net', to: users.map((user) => `${user}@example.com`), bytes }), /^250 /);
    for (const user of users) {
      const stored = await findOnce(cluster(), { node, user }, subject);
      assert.ok(stored.subarray(-bytes.length).equals(bytes));
      for (const other of users) if (other !== user) assert.ok(!stored.includes(`for <${other}@`), 'other recipients are not disclosed');
    }
  });

  test('two messages in one session are two messages', async () => {
    const [one, two] = [newMessage(), newMessage()];
    const session = await SmtpSession.connect(cluster(), node);
    for (const { bytes } of [one, two]) assert.match(await session.send({ from: 'sender@example.net', to: ['bob@example.com'], bytes }), /^250 /);
    await session.quit();
    for (const { subject } of [one, two]) await findOnce(cluster(), { node, user: 'bob' }, subject);
  });

  test('the same message sent twice on purpose is there twice', async () => {
    const { subject, bytes } = newMessage();
    for (const _time of [1, 2]) assert.match(await deliver(cluster(), node, { from: 'sender@example.net', to: ['alice@example.com'], bytes }), /^250 /);
    const imap = await ImapSession.logIn(cluster(), { node, user: 'alice' });
    await imap.findSoon(subject, { count: 2 });
    imap.close();
  });
}

function refusals(cluster: () => Cluster, node: NodeName): void {
  test('an unknown user is refused with 550 5.1.1, and the others of the transaction get the message', async () => {
    const { subject, bytes } = newMessage();
    const session = await SmtpSession.connect(cluster(), node);
    assert.match(await session.say('MAIL FROM:<sender@example.net>'), /^250 /);
    assert.match(await session.say('RCPT TO:<nobody@example.com>'), /^550 5\.1\.1 /);
    assert.match(await session.say('RCPT TO:<bob@example.com>'), /^250 /);
    assert.match(await session.say('DATA'), /^354 /);
    assert.match(await session.sayMessage(bytes), /^250 /);
    await session.quit();
    await findOnce(cluster(), { node, user: 'bob' }, subject);
  });

  test('a foreign domain is refused with 550 5.7.1', async () => {
    const reply = await deliver(cluster(), node, { from: 'sender@example.net', to: ['somebody@example.org'], bytes: newMessage().bytes });
    assert.match(reply, /^550 5\.7\.1 /);
  });

  test('AUTH is not for port 25', async () => {
    const session = await SmtpSession.connect(cluster(), node);
    assert.match(await session.say('AUTH PLAIN AGFsaWNlAHdheWJpbGwtZGVtbw=='), /^5\d\d /);
    session.close();
  });
}
