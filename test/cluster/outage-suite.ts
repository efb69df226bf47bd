/** The directory is away: whom the front-ends know goes on, others hear of a temporary error, nobody is ever called unknown. */
import { before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { frontendNames } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { addPerson, guesser } from '../harness/demo-people.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { newMessage } from '../harness/messages.ts';
import { Pop3Session } from '../harness/pop3-session.ts';
import { SmtpSession, deliver } from '../harness/smtp-session.ts';

export function outageSuite(cluster: () => Cluster): void {
  describe('the directory is away', () => {
    /** One on each back-end, known to both front-ends; and one whom nobody has asked for. */
    const known: string[] = [];
    let fresh = '';

    before(async () => {
      known.push(await addPerson(cluster(), 'be1'), await addPerson(cluster(), 'be2'));
      fresh = await addPerson(cluster(), 'be1');
      for (const node of frontendNames) for (const user of known) (await ImapSession.logIn(cluster(), { node, user })).close();
      await cluster().stopDirectory();
    });

    for (const node of frontendNames) {
      test(`known users log in, send and get mail through ${node}`, async () => {
        await Promise.all(known.map(async (user) => worksFor(cluster(), node, user)));
      });

      test(`a message for known users of several back-ends reaches all of them through ${node}, by a queue`, async () => {
        const { subject, bytes } = newMessage();
        assert.match(await deliver(cluster(), node, { from: 'sender@example.net', to: known.map((user) => `${user}@example.com`), bytes }), /^250 2\.6\.0 queued/);
        for (const user of known) {
          const imap = await ImapSession.logIn(cluster(), { node, user });
          await imap.findSoon(subject);
          imap.close();
        }
      });

      test(`everybody else gets temporary errors through ${node}, never "unknown user"`, async () => {
        await Promise.all([fresh, `nobody-${fresh}`].map(async (user) => temporaryFor(cluster(), node, user)));
      });

      test(`a wrong password of a known user opens nothing through ${node}`, async () => {
        const imap = await ImapSession.connect(cluster(), node, { from: guesser });
        assert.match((await imap.run(`LOGIN ${known[0] ?? ''} wrong`)).completion, /^NO \[UNAVAILABLE\] /);
        imap.close();
      });
    }

    test('it comes back, and everybody is known again', async () => {
      await cluster().startDirectory();
      for (const node of frontendNames) {
        const imap = await logInSoon(cluster(), node, fresh);
        imap.close();
        assert.match(await deliver(cluster(), node, { from: 'sender@example.net', to: ['no-one-yet@example.com'], bytes: newMessage().bytes }), /^550 5\.1\.1 /);
      }
    });
  });
}

async function worksFor(cluster: Cluster, node: NodeName, user: string): Promise<void> {
  const { subject, bytes } = newMessage();
  assert.match(await deliver(cluster, node, { from: 'sender@example.net', to: [`${user}@example.com`], bytes }), /^250 /);
  const imap = await ImapSession.logIn(cluster, { node, user });
  await imap.findSoon(subject);
  imap.close();
  const pop3 = await Pop3Session.logIn(cluster, { node, user });
  assert.ok((await pop3.find(subject)).length === 1);
  pop3.close();
  const smtp = await SmtpSession.connect(cluster, node, 'submissions');
  assert.match(await smtp.authenticate(user, cluster.password), /^235 /);
  const sent = newMessage({ from: `${user}@example.com` });
  assert.match(await smtp.send({ from: `${user}@example.com`, to: [`${user}@example.com`], bytes: sent.bytes }), /^250 /);
  await smtp.quit();
}

async function temporaryFor(cluster: Cluster, node: NodeName, user: string): Promise<void> {
  const imap = await ImapSession.connect(cluster, node);
  assert.match((await imap.run(`LOGIN ${user} ${cluster.password}`)).completion, /^NO \[UNAVAILABLE\] /);
  imap.close();
  const pop3 = await Pop3Session.connect(cluster, node);
  await pop3.ok(`USER ${user}`);
  assert.match(await pop3.run(`PASS ${cluster.password}`), /^-ERR \[SYS\/TEMP\] /);
  pop3.close();
  const submission = await SmtpSession.connect(cluster, node, 'submissions');
  assert.match(await submission.authenticate(user, cluster.password), /^454 4\.7\.0 /);
  submission.close();
  const mx = await SmtpSession.connect(cluster, node);
  await mx.say('MAIL FROM:<sender@example.net>');
  assert.match(await mx.say(`RCPT TO:<${user}@example.com>`), /^451 4\.4\.3 /);
  mx.close();
}

/** A directory that was away is not asked again at once. */
async function logInSoon(cluster: Cluster, node: NodeName, user: string): Promise<ImapSession> {
  const deadline = Date.now() + 45_000;
  for (;;) {
    const imap = await ImapSession.connect(cluster, node);
    const { completion } = await imap.run(`LOGIN ${user} ${cluster.password}`);
    if (completion.startsWith('OK')) return imap;
    assert.ok(/^NO \[UNAVAILABLE\]/.test(completion) && Date.now() < deadline, completion);
    imap.close();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
