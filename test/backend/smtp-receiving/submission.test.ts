import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSmtpClient } from '../../../shared/smtp/client.ts';
import type { SmtpClient } from '../../../shared/smtp/client.ts';
import { replyLine } from '../../../shared/smtp/reply.ts';
import { inboxOf, messageOf, openLeg, pieces, startWorld, TestCluster, until } from '../processing/cluster.ts';
import { submit } from '../processing/submit.ts';
import { Dialogue } from '../../harness/dialogue.ts';
import { password } from '../processing/test-node.ts';

async function openAsUser(port: number, tls: 'implicit' | 'none' = 'implicit'): Promise<SmtpClient> {
  const client = await openSmtpClient({ host: '127.0.0.1', port, timeoutMs: 5000, ...(tls === 'implicit' ? { tls: { rejectUnauthorized: false } } : {}) }, { protocol: 'smtp' });
  await client.hello('laptop.example.com');
  return client;
}

test('a submission reaches users of both nodes and the world, and gets the fields it lacks', async (t) => {
  const world = await startWorld(t);
  const cluster = new TestCluster(t);
  const be1 = await cluster.start(t, 'be1', { routes: [{ domain: '*', host: '127.0.0.1', port: world.port, tls: 'opportunistic' }] });
  const be2 = await cluster.start(t, 'be2');
  await submit(be1, messageOf('to all'), { to: ['carol@example.com', 'bob@example.com', 'x@example.net'] });
  await until('all have it', async () => world.taken.length === 1 && (await inboxOf(be1, 'carol@example.com')).length === 1 && (await inboxOf(be2, 'bob@example.com')).length === 1);
  const text = world.taken[0]?.text ?? '';
  assert.match(text.replace(/\r\n\t/gu, ' '), /^Received: from fe1\.example\.com by be1\.example\.com with ESMTPS id /u);
  assert.match(text, /^Date: /mu);
  assert.match(text, /^Message-ID: <[^@>]+@be1\.example\.com>\r$/mu);
  await submit(be1, messageOf('complete', 'Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <own@example.com>\r\n'), { to: ['carol@example.com'] });
  const [, second = ''] = await inboxOf(be1, 'carol@example.com');
  assert.equal(second.match(/^(?:Date|Message-ID):/gmu)?.length, 2);
});

test('users log in themselves, may send as themselves or their alias, and as nobody else', async (t) => {
  const be1 = await new TestCluster(t).start(t, 'be1');
  const client = await openAsUser(be1.ports.submission);
  assert.match(replyLine(await client.mail({ address: 'alice@example.com' })), /^530 /u);
  await client.authenticatePlain('alice@example.com', password);
  assert.match(replyLine(await client.mail({ address: 'carol@example.com' })), /^550 5\.7\.1 /u);
  assert.match(replyLine(await client.mail({ address: 'Alias-of-alice@example.com' })), /^250 /u);
  assert.match(replyLine(await client.rcpt({ address: 'nobody@example.com' })), /^550 5\.1\.1 /u);
  assert.match(replyLine(await client.rcpt({ address: 'outage@example.com' })), /^451 4\.4\.3 /u);
  assert.equal((await client.rcpt({ address: 'carol@example.com' })).code, 250);
  assert.equal((await client.data(pieces(messageOf('own login'))))[0]?.code, 250);
  assert.equal((await inboxOf(be1, 'carol@example.com')).length, 1);
  await client.quit();
  const stranger = await openAsUser(be1.ports.submission);
  await assert.rejects(stranger.authenticatePlain('alice@example.com', 'wrong'), /535 5\.7\.8/u);
  await assert.rejects(stranger.xclient({ address: '192.0.2.1', port: 1, hello: undefined, protocol: 'ESMTP', login: 'alice@example.com' }), /5\d\d/u);
  stranger.destroy();
});

test('a front-end that brings a user of another node is referred to it', async (t) => {
  const be1 = await new TestCluster(t).start(t, 'be1');
  const leg = await openLeg(be1.ports.submission, { protocol: 'smtp', login: 'bob@example.com' });
  assert.match(replyLine(await leg.mail({ address: 'bob@example.com' })), /^451 4\.3\.5 <referral be2> /u);
  await leg.quit();
});

test('as custodian it sends for a user of another node, traces the true client, and reports to the user\'s own mailbox', async (t) => {
  const world = await startWorld(t, { onRcptTo: ({ address }, _, done) => done(address.startsWith('no') ? Object.assign(new Error('5.1.1 no'), { responseCode: 550 }) : undefined) });
  const cluster = new TestCluster(t);
  const be1 = await cluster.start(t, 'be1', { routes: [{ domain: '*', host: '127.0.0.1', port: world.port, tls: 'none' }] });
  const be2 = await cluster.start(t, 'be2');
  const custodian = new Map<string, string | true>([['XWAYBILL-CUSTODIAN', true], ['XWAYBILL-SESSION', 'session42']]);
  const bytes = messageOf('by a custodian');
  for (const end of ['cut', 'quit'] as const) {
    const leg = await openLeg(be1.ports.submission, { protocol: 'smtp', login: 'bob@example.com', address: '2001:db8::7' });
    assert.equal((await leg.mail({ address: 'bob@example.com', extra: custodian })).code, 250);
    for (const address of ['x@example.net', 'alice@example.com', 'no@example.net']) assert.equal((await leg.rcpt({ address })).code, 250);
    assert.match(replyLine(await leg.rcpt({ address: 'nobody@example.com' })), /^550 5\.1\.1 /u);
    assert.equal((await leg.data(pieces(bytes)))[0]?.code, 250);
    if (end === 'quit') await leg.quit();
    else leg.destroy();
  }
  await until('the queue is empty', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
  assert.deepEqual(world.taken.flatMap(({ to }) => to), ['x@example.net'], 'the retry of a client that was cut is no second message');
  assert.equal((await inboxOf(be1, 'alice@example.com')).length, 1);
  assert.match(world.taken[0]?.text.replace(/\r\n\t/gu, ' ') ?? '', /Received: from mail\.example\.net \(\[IPv6:2001:db8::7\]\) by fe1\.example\.com with ESMTPS id session42;/u);
  const [report = ''] = await inboxOf(be2, 'bob@example.com');
  assert.match(report, /Final-Recipient: rfc822; no@example\.net\r\nAction: failed/u);
});

test('who logs in himself makes nobody a custodian, and mail of the world names no client', async (t) => {
  const be1 = await new TestCluster(t).start(t, 'be1');
  const user = await openAsUser(be1.ports.submission);
  await user.authenticatePlain('alice@example.com', password);
  assert.ok(!user.extensions.has('XWAYBILL') && !user.extensions.has('XCLIENT'));
  const lying = await Dialogue.connect({ port: be1.ports.mx });
  await lying.reply(220);
  const answer = await lying.ask('EHLO c', 250);
  assert.ok(!answer.some((line) => /XCLIENT|XFORWARD|XWAYBILL/u.test(line)));
  await lying.ask('XCLIENT ADDR=192.0.2.1 LOGIN=alice@example.com', /^5\d\d 5\.\d\.\d /u);
  await lying.ask('MAIL FROM:<s@example.net> XWAYBILL-CUSTODIAN', /^555 5\.5\.4 /u);
  await lying.ask('MAIL FROM:<s@example.net>', 250);
  await lying.ask('RCPT TO:<alice@example.com> XWAYBILL-NODE=be2', /^555 5\.5\.4 /u);
  lying.close();
  await user.quit();
});

test('another back-end may not speak for users', async (t) => {
  const be1 = await new TestCluster(t).start(t, 'be1');
  await assert.rejects(openLeg(be1.ports.submission, { protocol: 'smtp', node: 'be2' }), /554 5\.7\.1/u);
});

test('a lost reply to a submission brings no second copy to the world', async (t) => {
  const world = await startWorld(t);
  const be1 = await new TestCluster(t).start(t, 'be1', { routes: [{ domain: '*', host: '127.0.0.1', port: world.port, tls: 'none' }] });
  const bytes = messageOf('once');
  const leg = await openLeg(be1.ports.submission, { protocol: 'smtp', login: 'alice@example.com' });
  await leg.mail({ address: 'alice@example.com' });
  await leg.rcpt({ address: 'x@example.net' });
  assert.equal((await leg.data(pieces(bytes)))[0]?.code, 250);
  leg.destroy();
  await new Promise((resolve) => setTimeout(resolve, 100));
  await submit(be1, bytes, { to: ['x@example.net'] });
  await submit(be1, bytes, { to: ['x@example.net'] });
  await until('the queue is empty', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
  assert.equal(world.taken.length, 2, 'the retry is swallowed, the copy that is meant is not');
});

test('direct mail of the world: accounts of any node, no relaying, STARTTLS', async (t) => {
  const cluster = new TestCluster(t);
  const be1 = await cluster.start(t, 'be1');
  const be2 = await cluster.start(t, 'be2');
  const client = await openAsUser(be1.ports.mx, 'none');
  assert.ok(client.extensions.has('STARTTLS') && client.extensions.has('DSN') && client.extensions.has('SMTPUTF8') && !client.extensions.has('XCLIENT'));
  await client.startTls({ rejectUnauthorized: false });
  await client.hello('mail.example.net');
  assert.equal((await client.mail({ address: 's@example.net' })).code, 250);
  assert.match(replyLine(await client.rcpt({ address: 'x@example.org' })), /^550 5\.7\.1 /u);
  assert.match(replyLine(await client.rcpt({ address: 'nobody@example.com' })), /^550 5\.1\.1 /u);
  for (const address of ['alice@example.com', 'bob@example.com']) assert.equal((await client.rcpt({ address })).code, 250);
  assert.equal((await client.data(pieces(messageOf('from the world'))))[0]?.code, 250);
  await client.quit();
  await until('both have it', async () => (await inboxOf(be1, 'alice@example.com')).length === 1 && (await inboxOf(be2, 'bob@example.com')).length === 1);
  const [mail = ''] = await inboxOf(be1, 'alice@example.com');
  assert.match(mail.replace(/\r\n\t/gu, ' '), /\r\nReceived: from mail\.example\.net \(\[127\.0\.0\.1\]\) by be1\.example\.com with ESMTPS id /u);
});
