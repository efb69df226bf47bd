import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildReport } from '../../../backend/processing/report.ts';
import { inboxOf, messageOf, openLeg, pieces, TestCluster, until } from './cluster.ts';
import { readReport } from './read-report.ts';
import type { ReadReport } from './read-report.ts';
import { routeTo, startStrictWorld } from './strict-world.ts';
import { submit } from './submit.ts';
import type { TestNode } from './test-node.ts';

async function reportsFor(node: TestNode, count: number): Promise<ReadReport[]> {
  await until(`${String(count)} reports`, async () => (await inboxOf(node, 'alice@example.com')).length >= count);
  return Promise.all((await inboxOf(node, 'alice@example.com')).map(readReport));
}

test('a refusal by another server comes back to the sender as an RFC 3464 report', async (t) => {
  const world = await startStrictWorld(t);
  const be1 = await new TestCluster(t).start(t, 'be1', routeTo(world));
  await submit(be1, messageOf('to nobody'), { sender: { envid: 'QQ314159' }, to: [{ address: '550@example.net', orcpt: 'rfc822;Original@example.net' }, 'fine@example.net'] });
  const [report] = await reportsFor(be1, 1);
  assert.ok(report !== undefined);
  assert.equal(report.returnPath, '<>');
  assert.match(report.contentType, /^multipart\/report; *report-type=delivery-status;/u);
  assert.match(report.text, /<550@example\.net>\s+127\.0\.0\.1 said: 550 5\.1\.1 says the world/u);
  const [message, recipient, ...more] = report.status;
  assert.equal(more.length, 0, 'the recipient who got it is not in the report');
  assert.equal(message?.get('reporting-mta'), 'dns; be1.example.com');
  assert.equal(message?.get('original-envelope-id'), 'QQ314159');
  assert.ok(!Number.isNaN(Date.parse(message?.get('arrival-date') ?? '')));
  assert.equal(recipient?.get('original-recipient'), 'rfc822; Original@example.net');
  assert.equal(recipient?.get('final-recipient'), 'rfc822; 550@example.net');
  assert.equal(recipient?.get('action'), 'failed');
  assert.equal(recipient?.get('status'), '5.1.1');
  assert.equal(recipient?.get('remote-mta'), 'dns; 127.0.0.1');
  assert.equal(recipient?.get('diagnostic-code'), 'smtp; 550 5.1.1 says the world');
  assert.equal(report.original.type, 'text/rfc822-headers');
  assert.match(report.original.text, /Subject: to nobody/u);
  assert.doesNotMatch(report.original.text, /body of/u);
  await until('the queue is empty', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
});

test('RET=FULL brings the whole message back', async (t) => {
  const world = await startStrictWorld(t);
  const be1 = await new TestCluster(t).start(t, 'be1', routeTo(world));
  await submit(be1, messageOf('full'), { sender: { ret: 'FULL' }, to: ['550@example.net'] });
  const [report] = await reportsFor(be1, 1);
  assert.equal(report?.original.type, 'message/rfc822');
  assert.match(report.original.text, /body of full/u);
});

test('NOTIFY is honoured: NEVER, FAILURE, DELAY and SUCCESS', async (t) => {
  const world = await startStrictWorld(t);
  const be1 = await new TestCluster(t).start(t, 'be1', { ...routeTo(world), retry: { maxRetries: 2, delayNoticeAfterTries: 2 } });
  await submit(be1, messageOf('notify'), {
    to: [
      { address: '550@never.example.net', notify: ['NEVER'] }, { address: '450@delay.example.net', notify: ['DELAY'] },
      { address: '450@failure.example.net', notify: ['FAILURE'] }, { address: 'alice@example.com', notify: ['SUCCESS'] },
    ],
  });
  await until('the queue is empty', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
  const mails = await inboxOf(be1, 'alice@example.com');
  const reports = await Promise.all(mails.filter((mail) => mail.includes('multipart/report')).map(readReport));
  const said = reports.map(({ status }) => [status[1]?.get('final-recipient'), status[1]?.get('action'), status[1]?.get('status')].join(' ')).sort();
  assert.deepEqual(said, ['rfc822; 450@delay.example.net delayed 4.1.1', 'rfc822; 450@failure.example.net failed 5.4.7', 'rfc822; alice@example.com delivered 2.1.5']);
  assert.equal(mails.length, 4, 'the message itself and three reports');
  const delayed = reports.find(({ status }) => status[1]?.get('action') === 'delayed');
  assert.ok(Date.parse(delayed?.status[1]?.get('will-retry-until') ?? '') > Date.now());
});

test('there is never a report of a report', async (t) => {
  const world = await startStrictWorld(t);
  const be1 = await new TestCluster(t).start(t, 'be1', routeTo(world));
  await submit(be1, messageOf('from the null path'), { sender: { address: '' }, to: ['550@example.net'] });
  const leg = await openLeg(be1.ports.lmtp);
  await leg.mail({ address: '550@example.net', extra: new Map([['XWAYBILL-CUSTODIAN', true]]) });
  await leg.rcpt({ address: 'nobody@example.com' });
  assert.equal((await leg.data(pieces(messageOf('to an unknown user'))))[0]?.code, 250);
  await leg.quit();
  await until('the queue is empty', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
  assert.equal(world.taken.length, 0);
  assert.equal((await inboxOf(be1, 'alice@example.com')).length, 0);
});

test('words of others can not forge fields, and addresses that are not ASCII make a global report', async () => {
  const report = buildReport({
    languages: ['en'],
    action: 'failed', hostName: 'be1.example.com', from: 'postmaster@example.com', to: 'alice@example.com', envid: undefined, arrivedAtMs: 0, nowMs: 0, retryUntilMs: undefined,
    recipients: [{ address: 'bücher@example.net', orcpt: undefined, status: '5.1.1', remote: 'mx', words: '550 no\r\nAction: delivered', isReply: true }],
    original: { kind: 'headers', bytes: Buffer.from('Subject: x\r\n') },
  });
  const { status } = await readReport(report.toString());
  assert.equal(status.length, 2);
  assert.equal(status[1]?.get('action'), 'failed');
  assert.equal(status[1]?.get('final-recipient'), 'utf-8; bücher@example.net');
  assert.match(report.toString(), /Content-Type: message\/global-delivery-status/u);
});

test('the human part is in the languages of who is told, and nothing else of a report is', async () => {
  const facts = { hostName: 'be1.example.com', from: 'postmaster@example.com', to: 'alice@example.com', envid: undefined, arrivedAtMs: 0, nowMs: 0, retryUntilMs: 86_400_000, recipients: [{ address: 'carol@example.net', orcpt: undefined, status: '5.1.1', remote: 'mx.example.net', words: '550 no', isReply: true }], original: { kind: 'headers', bytes: Buffer.from('Subject: x\r\n') } } as const;
  const actions = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'] as const;
  for (const action of actions) {
    const [english, german, both] = await Promise.all(([['en'], ['de'], ['de', 'en']] as const).map(async (languages) => readReport(buildReport({ ...facts, action, languages }).toString())));
    assert.match(english?.text ?? '', /^This is the mail system at be1\.example\.com\.\s[^]*mx\.example\.net said: 550 no\s[^]*$/u);
    assert.match(german?.text ?? '', /^Hier ist das Mailsystem von be1\.example\.com\.\s[^]*Empfänger[^]*<carol@example\.net>\s+mx\.example\.net meldete: 550 no\s/u);
    assert.doesNotMatch(german?.text ?? '', /\b(message|recipients|said)\b/iu);
    assert.deepEqual([both?.text.trim(), both?.subject], [`${german?.text.trim() ?? ''}\n\n${english?.text.trim() ?? ''}`, german?.subject]);
    assert.notEqual(german?.subject, english?.subject);
    assert.deepEqual(german?.status, english?.status);
    assert.match(german?.contentType ?? '', /^multipart\/report/u);
  }
  assert.match(buildReport({ ...facts, action: 'failed', languages: ['de'] }).toString(), /Content-Type: text\/plain; charset=utf-8\r\nContent-Language: de\r\n/u);
});

test('a report is told in the language that is known of its sender', async (t) => {
  const world = await startStrictWorld(t);
  const be1 = await new TestCluster(t).start(t, 'be1', { ...routeTo(world), languages: { 'alice@example.com': 'de' } });
  await submit(be1, messageOf('unwanted'), { to: ['550@example.net'] });
  const [report] = await reportsFor(be1, 1);
  assert.equal(report?.subject, 'Ihre Nachricht wurde nicht zugestellt');
});

test('Of mail that two nodes send to each other, as each says that the other has the mailbox, the sender hears, and it is given up in time', async (t) => {
  const cluster = new TestCluster(t);
  const be1 = await cluster.start(t, 'be1', { retry: { delayNoticeAfterMs: 1000, expireAfterMs: 3000 } });
  await cluster.start(t, 'be2', { owners: { 'bob@example.com': 'be1' } });
  await submit(be1, messageOf('to and fro'), { to: ['bob@example.com'] });
  const reports = await reportsFor(be1, 2);
  assert.deepEqual(reports.map(({ status: [, recipient] }) => `${String(recipient?.get('final-recipient'))} ${String(recipient?.get('action'))} ${String(recipient?.get('status'))}`), ['rfc822; bob@example.com delayed 4.3.5', 'rfc822; bob@example.com failed 5.4.7']);
  await until('the queue is empty', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
});
