import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SmtpClient } from '../../../shared/smtp/client.ts';
import { replyLine } from '../../../shared/smtp/reply.ts';
import { inboxOf, messageOf, openLeg, pieces, TestCluster, until } from '../processing/cluster.ts';

test('a message for an account here is in its INBOX when 250 is said, with both hops traced and its bytes unchanged', async (t) => {
  const be1 = await new TestCluster(t).start(t, 'be1');
  const leg = await openLeg(be1.ports.lmtp);
  const extra = new Map([['XWAYBILL-SESSION', 'abcdefghijklmnop']]);
  assert.equal((await leg.mail({ address: 's@example.net', extra })).code, 250);
  assert.equal((await leg.rcpt({ address: 'Alice@Example.com' })).code, 250);
  const bytes = messageOf('direct');
  const [reply] = await leg.data(pieces(bytes));
  assert.equal(reply?.code, 250);
  const [stored = ''] = await inboxOf(be1, 'alice@example.com');
  assert.ok(stored.endsWith(bytes.toString()));
  const trace = stored.slice(0, stored.length - bytes.length).replace(/\r\n\t/gu, ' ').split('\r\n');
  assert.equal(trace[0], 'Return-Path: <s@example.net>');
  assert.match(trace[1] ?? '', /^Received: from fe1\.example\.com by be1\.example\.com with LMTPS id [a-z2-7]{16} for <Alice@example\.com>; /u);
  assert.match(trace[2] ?? '', /^Received: from mail\.example\.net \(\[192\.0\.2\.7\]\) by fe1\.example\.com with ESMTPS id abcdefghijklmnop; /u);
  await leg.quit();
});

test('an owner answers each recipient: referral, unknown user, directory outage, full mailbox', async (t) => {
  const be1 = await new TestCluster(t).start(t, 'be1', { quota: { bytes: 0, messages: 1 } });
  const leg = await openLeg(be1.ports.lmtp);
  const rcpt = async (address: string): Promise<string> => {
    await leg.mail({ address: 's@example.net' });
    const reply = replyLine(await leg.rcpt({ address }));
    await leg.reset();
    return reply;
  };
  assert.match(await rcpt('bob@example.com'), /^451 4\.3\.5 <referral be2> /u);
  assert.match(await rcpt('nobody@example.com'), /^550 5\.1\.1 /u);
  assert.match(await rcpt('outage@example.com'), /^451 4\.4\.3 /u);
  await leg.mail({ address: 's@example.net' });
  await leg.rcpt({ address: 'alice@example.com' });
  assert.equal((await leg.data(pieces(messageOf('first'))))[0]?.code, 250);
  assert.match(await rcpt('alice@example.com'), /^452 4\.2\.2 /u);
  await leg.quit();
});

test('a custodian takes mail for all, delivers its own and hands the rest to its owner', async (t) => {
  const cluster = new TestCluster(t);
  const be1 = await cluster.start(t, 'be1');
  const be2 = await cluster.start(t, 'be2');
  const leg = await openLeg(be1.ports.lmtp);
  await leg.mail({ address: 's@example.net', extra: new Map([['XWAYBILL-CUSTODIAN', true]]) });
  for (const address of ['alice@example.com', 'bob@example.com', 'dave@example.com']) assert.equal((await leg.rcpt({ address })).code, 250);
  const replies = await leg.data(pieces(messageOf('for three')));
  assert.deepEqual(replies.map(({ code }) => code), [250, 250, 250]);
  await leg.quit();
  await until('all three have it', async () => (await inboxOf(be1, 'alice@example.com')).length === 1
    && (await inboxOf(be2, 'bob@example.com')).length === 1 && (await inboxOf(be2, 'dave@example.com')).length === 1);
  const [atBob = ''] = await inboxOf(be2, 'bob@example.com');
  assert.match(atBob.replace(/\r\n\t/gu, ' '), /Received: from be1\.example\.com by be2\.example\.com with LMTPS/u);
  await until('the queue is empty', () => be1.processing.list({ from: '', limit: 10 }).length === 0);
});

test('a message with more than 30 Received fields is refused as a loop', async (t) => {
  const be1 = await new TestCluster(t).start(t, 'be1');
  const leg = await openLeg(be1.ports.lmtp);
  const send = async (hops: number): Promise<string> => {
    await leg.mail({ address: 's@example.net' });
    await leg.rcpt({ address: 'alice@example.com' });
    const [reply] = await leg.data(pieces(messageOf('loop', 'Received: from a by b; Tue, 24 Nov 2026 10:00:00 +0000\r\n'.repeat(hops))));
    return reply === undefined ? '' : replyLine(reply);
  };
  assert.match(await send(31), /^554 5\.4\.6 /u);
  assert.match(await send(30), /^250 /u);
  assert.equal((await inboxOf(be1, 'alice@example.com')).length, 1);
  await leg.quit();
});

test('a header that is longer than the limit is refused, in good time or late, and the session goes on; but not what another node has accepted', async (t) => {
  const be1 = await new TestCluster(t).start(t, 'be1');
  const send = async (leg: SmtpClient, headerBytes: number, extra?: ReadonlyMap<string, string | true>): Promise<string> => {
    await leg.mail({ address: 's@example.net', ...(extra === undefined ? {} : { extra }) });
    await leg.rcpt({ address: 'alice@example.com' });
    const [reply] = await leg.data(pieces(messageOf('long', `X: ${'x'.repeat(95)}\r\n`.repeat(headerBytes / 100))));
    return reply === undefined ? '' : replyLine(reply);
  };
  const leg = await openLeg(be1.ports.lmtp);
  for (const headerBytes of [310_000, 700_000]) assert.equal(await send(leg, headerBytes), '552 5.3.4 the header section has more than 300 kilobytes');
  assert.match(await send(leg, 290_000), /^250 /u);
  await leg.quit();
  const handOver = new Map([['XWAYBILL-QUEUE', 'be2-1'], ['XWAYBILL-DIGEST', '0'.repeat(64)], ['XWAYBILL-ACCEPTED', String(Date.now())]]);
  const node = await openLeg(be1.ports.lmtp, { node: 'be2' });
  assert.match(await send(node, 310_000, handOver), /^250 /u);
  await node.quit();
  assert.equal((await inboxOf(be1, 'alice@example.com')).length, 2);
});

test('the trusted listener is for configured nodes only', async (t) => {
  const be1 = await new TestCluster(t).start(t, 'be1');
  await assert.rejects(openLeg(be1.ports.lmtp, { node: 'be9' }), /554 5\.7\.1/u);
});
