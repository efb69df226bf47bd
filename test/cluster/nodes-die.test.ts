/** Nodes are killed with SIGKILL: who is told what, who notices nothing, and that nothing acknowledged is lost or there twice. */
import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { frontendNames, startCluster } from '../harness/cluster.ts';
import type { Cluster, NodeName } from '../harness/cluster.ts';
import { DeliveryStream, checkLedger } from '../harness/delivery-stream.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { newMessage } from '../harness/messages.ts';
import { Pop3Session } from '../harness/pop3-session.ts';
import { SmtpSession, deliver } from '../harness/smtp-session.ts';
import { WebClient } from '../harness/web-client.ts';

let cluster: Cluster;

before(async () => {
  cluster = await startCluster();
});
after(async () => cluster.stop());

async function send(node: NodeName, ...users: string[]): Promise<string> {
  const { subject, bytes } = newMessage();
  const reply = await deliver(cluster, node, { from: 'sender@example.net', to: users.map((user) => `${user}@example.com`), bytes });
  assert.match(reply, /^250 /);
  return subject;
}

async function hasOnce(node: NodeName, user: string, subjects: readonly string[]): Promise<void> {
  const imap = await ImapSession.logIn(cluster, { node, user });
  for (const subject of subjects) await imap.findSoon(subject, { patienceMs: 30_000 });
  imap.close();
}

async function signIn(web: WebClient, node: NodeName, user: string): Promise<{ readonly status: number; readonly kind: string | undefined }> {
  const url = `https://127.0.0.1:${String(cluster.port(node, 'https'))}/api/sign-in`;
  return web.ask(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: user, password: cluster.password }) });
}

test('a front-end is killed: its clients go on at the other, with mail programs and with the browser\'s cookie', async () => {
  const subject = await send('fe1', 'alice');
  const cut = await ImapSession.logIn(cluster, { node: 'fe1', user: 'alice' });
  const web = new WebClient();
  assert.equal((await signIn(web, 'fe1', 'bob')).status, 200);
  await cluster.kill('fe1');
  await cut.dialogue.closed();
  await assert.rejects(ImapSession.connect(cluster, 'fe1'));
  await hasOnce('fe2', 'alice', [subject, await send('fe2', 'alice', 'bob')]);
  assert.equal((await web.ask(`https://127.0.0.1:${String(cluster.port('fe2', 'https'))}/api/mailboxes`)).status, 200);
  await cluster.startNode('fe1');
  await hasOnce('fe1', 'alice', [subject]);
});

describe('a back-end is killed', () => {
  /** Subjects that alice must have in the end. */
  const forAlice: string[] = [];
  let bob: ImapSession;

  before(async () => {
    forAlice.push(await send('fe1', 'alice'), await send('fe2', 'alice', 'bob'));
    bob = await ImapSession.logIn(cluster, { node: 'fe1', user: 'bob' });
    await bob.ok('SELECT INBOX');
    const alice = await ImapSession.logIn(cluster, { node: 'fe2', user: 'alice' });
    await cluster.kill('be1');
    await alice.dialogue.closed();
  });

  for (const node of frontendNames) {
    test(`its users get a temporary error that says so through ${node}, but what they send is taken and goes out`, async () => {
      const imap = await ImapSession.connect(cluster, node);
      assert.match((await imap.run(`LOGIN alice ${cluster.password}`)).completion, /^NO \[UNAVAILABLE\] \S.*try again later/);
      imap.close();
      const pop3 = await Pop3Session.connect(cluster, node);
      await pop3.ok('USER alice');
      assert.match(await pop3.run(`PASS ${cluster.password}`), /^-ERR \[SYS\/TEMP\] \S.*try again later/);
      pop3.close();
      const smtp = await SmtpSession.connect(cluster, node, 'submissions');
      assert.match(await smtp.authenticate('alice', cluster.password), /^235 /);
      assert.match(await smtp.say('MAIL FROM:<bob@example.com>'), /^553 5\.7\.1 /, 'whose address it is, is checked all the same');
      const sent = newMessage({ from: 'alice@example.com' });
      assert.match(await smtp.send({ from: 'alice@example.com', to: ['alice@example.com', 'bob@example.com'], bytes: sent.bytes }), /^250 /);
      await smtp.quit();
      forAlice.push(sent.subject);
      await hasOnce(node, 'bob', [sent.subject]);
      const web = await signIn(new WebClient(), node, 'alice');
      assert.deepEqual([web.status, web.kind], [503, 'backend-unavailable']);
    });

    test(`mail for its users is taken into custody through ${node}, from outside and from users of the other`, async () => {
      forAlice.push(await send(node, 'alice'), await send(node, 'alice', 'bob'), await send(node, 'bob', 'carol', 'alice'));
      const smtp = await SmtpSession.connect(cluster, node, 'submissions');
      await smtp.authenticate('bob', cluster.password);
      const { subject, bytes } = newMessage({ from: 'bob@example.com' });
      assert.match(await smtp.send({ from: 'bob@example.com', to: ['alice@example.com', 'dave@example.com'], bytes }), /^250 /);
      await smtp.quit();
      forAlice.push(subject);
      await hasOnce(node, 'dave', [subject]);
    });

    test(`everybody else notices nothing through ${node}`, async () => {
      await hasOnce(node, 'bob', [await send(node, 'bob')]);
      await bob.ok('NOOP');
      assert.ok((await bob.search('ALL')).length > 0);
      const wrong = await ImapSession.connect(cluster, node);
      assert.match((await wrong.run('LOGIN alice wrong')).completion, /^NO \[AUTHENTICATIONFAILED\]/);
      wrong.close();
    });
  }

  test('it comes back: the mail acknowledged before is there, and what was in custody arrives once', async () => {
    await cluster.startNode('be1');
    for (const node of frontendNames) await hasOnce(node, 'alice', forAlice);
    await bob.ok('NOOP');
    bob.close();
  });
});

test('each node is killed while mail streams in by SMTP and IMAP: every message answered 250 or OK is there exactly once', { timeout: 150_000 }, async (t) => {
  const stream = new DeliveryStream(cluster, [['erin'], ['frank'], ['erin', 'frank'], ['frank', 'grace', 'erin']], { clients: 4, append: 'yes' });
  for (const node of ['be1', 'fe1', 'be2', 'fe2'] as const) {
    await sleep(800);
    await cluster.kill(node);
    await sleep(600);
    await cluster.startNode(node);
  }
  await sleep(800);
  await stream.stop();
  t.diagnostic(`${String(stream.acknowledged.size)} messages acknowledged, ${String(stream.failedTries)} tries failed`);
  assert.deepEqual(stream.refused, []);
  assert.ok(stream.acknowledged.size > 100 && stream.failedTries > 0);
  await checkLedger(cluster, 'fe1', { stream, users: ['erin', 'frank', 'grace'] });
});
