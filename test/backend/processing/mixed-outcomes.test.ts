/** One message for many recipients whose fates differ: each gets it once, and the sender hears of each what he asked for, no more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { EnvelopeRecipient } from '../../../shared/smtp/commands.ts';
import { inboxOf, messageOf, openLeg, pieces, TestCluster, until, usualOwners } from './cluster.ts';
import type { World } from './cluster.ts';
import { readReport } from './read-report.ts';
import { routeTo, startStrictWorld } from './strict-world.ts';
import type { TestNode } from './test-node.ts';

const owners = { ...usualOwners, 'frank@example.com': 'be9' };
const expansions = {
  'forward@example.com': ['forwarded@outside.example'],
  'group@example.com': ['erin@example.com', 'bob@example.com', 'member@outside.example', '551@outside.example'],
};

const recipients: readonly EnvelopeRecipient[] = [
  { address: 'carol@example.com', notify: ['SUCCESS'] }, // lives at the custodian
  { address: 'bob@example.com', notify: ['SUCCESS', 'FAILURE'], orcpt: 'rfc822;B+ob@example.com' }, // at another node
  { address: 'dave@example.com' }, // there, and his mailbox is full
  { address: 'frank@example.com', notify: ['SUCCESS'] }, // at a node that is down
  { address: 'nobody@example.com' },
  { address: 'forward@example.com', notify: ['SUCCESS'] },
  { address: 'group@example.com', notify: ['SUCCESS', 'FAILURE'] },
  { address: 'fine@outside.example', notify: ['SUCCESS'] }, // whose server reports itself
  { address: '550@outside.example', notify: ['FAILURE'] },
  { address: '553@outside.example', notify: ['NEVER'] },
  { address: '450@outside.example' },
  { address: 'jürgen@outside.example' }, // whose server takes no such address
];

const expectedReports = [
  'rfc822; 450@outside.example failed 5.4.7', 'rfc822; 550@outside.example failed 5.1.1', 'rfc822; 551@outside.example failed 5.1.1',
  'rfc822; bob@example.com delivered 2.1.5', 'rfc822; carol@example.com delivered 2.1.5', 'rfc822; dave@example.com failed 5.4.7', 'rfc822; frank@example.com delivered 2.1.5',
  'rfc822; group@example.com expanded 2.1.5', 'rfc822; nobody@example.com failed 5.1.1', 'utf-8; jürgen@outside.example failed 5.6.7',
];

interface Scene {
  readonly cluster: TestCluster;
  readonly world: World;
  readonly be1: TestNode;
  readonly be2: TestNode;
}

async function scene(t: TestContext): Promise<Scene> {
  const world = await startStrictWorld(t, { hideSMTPUTF8: true });
  const cluster = new TestCluster(t);
  const retry = { maxRetries: 2, delayNoticeAfterTries: 99 };
  const be1 = await cluster.start(t, 'be1', { ...routeTo(world), owners, expansions, retry });
  const be2 = await cluster.start(t, 'be2', { owners, expansions, retry, quota: { bytes: 0, messages: 1 } });
  cluster.announce('be9', 1); // nobody listens there
  const filling = await openLeg(be2.ports.lmtp);
  await filling.mail({ address: 's@example.net' });
  await filling.rcpt({ address: 'dave@example.com' });
  await filling.data(pieces(messageOf('filling')));
  await filling.quit();
  return { cluster, world, be1, be2 };
}

/** The message to all, by way of the custodian be1. */
async function send({ be1 }: Scene, sender: string, end: 'quit' | 'cut'): Promise<void> {
  const leg = await openLeg(be1.ports.lmtp);
  const { recipients: replies } = await leg.envelope({ address: sender, envid: 'E1', smtpUtf8: true, extra: new Map([['XWAYBILL-CUSTODIAN', true]]) }, recipients);
  assert.deepEqual(replies.map(({ code }) => code), recipients.map(() => 250));
  assert.equal((await leg.data(pieces(messageOf('mixed'))))[0]?.code, 250);
  if (end === 'quit') await leg.quit();
  else leg.destroy();
}

async function frankIsBack({ cluster }: Scene, t: TestContext): Promise<TestNode> {
  return cluster.start(t, 'be9', { owners, expansions });
}

async function copies(node: TestNode, user: string): Promise<number> {
  return (await inboxOf(node, `${user}@example.com`)).filter((text) => text.includes('Subject: mixed\r\n')).length;
}

async function eachHasItOnce({ world, be1, be2 }: Scene, be9: TestNode): Promise<void> {
  const inside = { carol: await copies(be1, 'carol'), erin: await copies(be1, 'erin'), bob: await copies(be2, 'bob'), dave: await copies(be2, 'dave'), frank: await copies(be9, 'frank') };
  assert.deepEqual(inside, { carol: 1, erin: 1, bob: 1, dave: 0, frank: 1 });
  assert.deepEqual(world.taken.flatMap(({ to }) => to).sort(), ['fine@outside.example', 'forwarded@outside.example', 'member@outside.example']);
}

async function queueIsEmpty({ be1 }: Scene): Promise<void> {
  await until('the queue is empty', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
}

test('one message, many fates: once each, and the right report for everyone', async (t) => {
  const all = await scene(t);
  await send(all, 'alice@example.com', 'quit');
  await until('all but the dead node\'s is done', () => all.be1.processing.list({ from: '', limit: 5 }).every((item) => item.recipients.filter(({ state }) => state.at === 'waiting').length <= 1));
  const be9 = await frankIsBack(all, t);
  await queueIsEmpty(all);
  await eachHasItOnce(all, be9);
  const reports = await Promise.all((await inboxOf(all.be1, 'alice@example.com')).map(readReport));
  const lines = reports.flatMap(({ status }) => status.slice(1).map((block) => `${block.get('final-recipient') ?? ''} ${block.get('action') ?? ''} ${block.get('status') ?? ''}`));
  assert.deepEqual(lines.sort(), expectedReports);
  assert.ok(reports.every(({ status, returnPath }) => status[0]?.get('original-envelope-id') === 'E1' && returnPath === '<>'));
  const blocks = reports.flatMap(({ status }) => status.slice(1));
  const originalOf = (final: string): string | undefined => blocks.find((block) => block.get('final-recipient')?.endsWith(final) && block.get('action') !== 'expanded')?.get('original-recipient');
  assert.equal(originalOf(' bob@example.com'), 'rfc822; B+ob@example.com', 'as the client gave it');
  assert.equal(originalOf('551@outside.example'), 'rfc822; group@example.com', 'a member is told of by the group\'s name');
  const wishes = all.world.wishes.map(({ address, notify }) => `${address} ${notify}`).sort();
  assert.deepEqual(wishes, ['fine@outside.example SUCCESS', 'forwarded@outside.example SUCCESS', 'member@outside.example FAILURE']);
});

test('the same when the client is cut before it heard 250, and sends all of it again', async (t) => {
  const all = await scene(t);
  await send(all, 'alice@example.com', 'cut');
  await send(all, 'alice@example.com', 'quit');
  const be9 = await frankIsBack(all, t);
  await queueIsEmpty(all);
  await eachHasItOnce(all, be9);
  // And the sender hears of each once.
  const reports = await Promise.all((await inboxOf(all.be1, 'alice@example.com')).map(readReport));
  const lines = reports.flatMap(({ status }) => status.slice(1).map((block) => `${block.get('final-recipient') ?? ''} ${block.get('action') ?? ''} ${block.get('status') ?? ''}`));
  assert.deepEqual(lines.sort(), expectedReports);
});

test('nobody is told anything of a message from the null path', async (t) => {
  const all = await scene(t);
  await send(all, '', 'quit');
  const be9 = await frankIsBack(all, t);
  await queueIsEmpty(all);
  await eachHasItOnce(all, be9);
  assert.deepEqual([await inboxOf(all.be1, 'alice@example.com'), all.world.taken.every(({ from }) => from === '')], [[], true]);
});

test('an internationalised header goes to servers that take it; others get nothing, and the sender an internationalised report', async (t) => {
  const message = Buffer.from('From: alice@example.com\r\nSubject: grüße\r\n\r\nbody\r\n');
  const plain = Buffer.from('From: alice@example.com\r\nSubject: plain\r\n\r\nkörper\r\n');
  for (const hideSMTPUTF8 of [true, false]) {
    const world = await startStrictWorld(t, { hideSMTPUTF8 });
    const be1 = await new TestCluster(t).start(t, 'be1', routeTo(world));
    for (const bytes of [message, plain]) {
      const leg = await openLeg(be1.ports.submission, { protocol: 'smtp', login: 'alice@example.com' });
      assert.equal((await leg.mail({ address: 'alice@example.com', smtpUtf8: true, body: '8BITMIME' })).code, 250);
      await leg.rcpt({ address: 'fine@outside.example' });
      assert.equal((await leg.data(pieces(bytes)))[0]?.code, 250);
      await leg.quit();
    }
    await until('the queue is empty', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
    assert.deepEqual(world.taken.map(({ text }) => /Subject: (.*)\r/u.exec(text)?.[1]).sort(), hideSMTPUTF8 ? ['plain'] : ['grüße', 'plain']);
    const reports = await inboxOf(be1, 'alice@example.com');
    assert.equal(reports.length, hideSMTPUTF8 ? 1 : 0);
    if (reports[0] === undefined) continue;
    const report = await readReport(reports[0]);
    assert.deepEqual([report.status[1]?.get('action'), report.status[1]?.get('status'), report.original.type], ['failed', '5.6.9', 'message/global-headers']);
  }
});

test('a server without 8BITMIME gets a message of 7-bit lines; of one that can not be made so the sender hears', async (t) => {
  const world = await startStrictWorld(t, { hide8BITMIME: true, hideSMTPUTF8: true });
  const be1 = await new TestCluster(t).start(t, 'be1', routeTo(world));
  const signed = 'MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nsigned körper\r\n--b--\r\n';
  const letters = ['MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n.körper\r\n', '\r\nplain\r\n', signed];
  for (const rest of letters) {
    const leg = await openLeg(be1.ports.submission, { protocol: 'smtp', login: 'alice@example.com' });
    assert.equal((await leg.mail({ address: 'alice@example.com', body: '8BITMIME' })).code, 250);
    await leg.rcpt({ address: 'fine@outside.example', notify: ['FAILURE'] });
    assert.equal((await leg.data(pieces(Buffer.from(`From: alice@example.com\r\nSubject: eight\r\n${rest}`))))[0]?.code, 250);
    await leg.quit();
  }
  await until('the queue is empty', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
  const bodies = world.taken.map(({ text }) => text.slice(text.indexOf('\r\n\r\n') + 4)).toSorted();
  assert.deepEqual(bodies, ['.k=C3=B6rper\r\n', 'plain\r\n']);
  const reports = await Promise.all((await inboxOf(be1, 'alice@example.com')).map(readReport));
  assert.deepEqual(reports.map(({ status }) => [status[1]?.get('action'), status[1]?.get('status')]), [['failed', '5.6.3']]);
});
