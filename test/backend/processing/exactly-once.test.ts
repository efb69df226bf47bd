import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SmtpClient } from '../../../shared/smtp/client.ts';
import { inboxOf, messageOf, openLeg, pieces, TestCluster, until } from './cluster.ts';

type Recipients = readonly string[];

const custodian = new Map([['XWAYBILL-CUSTODIAN', true as const]]);

/** One transaction on the leg; answers the code of the (first) reply to the message. */
async function send(leg: SmtpClient, bytes: Buffer, { to, extra }: { readonly to: Recipients; readonly extra?: ReadonlyMap<string, string | true> | undefined }): Promise<number | undefined> {
  assert.equal((await leg.mail({ address: 's@example.net', extra })).code, 250);
  for (const address of to) assert.equal((await leg.rcpt({ address })).code, 250);
  return (await leg.data(pieces(bytes)))[0]?.code;
}

/** A session of its own: the message, then QUIT, or the line cut without a word. */
async function session(port: number, bytes: Buffer, how: { readonly to: Recipients; readonly end: 'quit' | 'cut'; readonly custody?: 'yes' }): Promise<void> {
  const leg = await openLeg(port);
  assert.equal(await send(leg, bytes, { to: how.to, extra: how.custody === 'yes' ? custodian : undefined }), 250);
  if (how.end === 'quit') await leg.quit();
  else leg.destroy();
  await new Promise((resolve) => setTimeout(resolve, 100)); // the server hears of the end
}

test('a client that was cut before it heard 250 tries again, and there is one copy; a copy that is meant comes in', async (t) => {
  const be1 = await new TestCluster(t).start(t, 'be1');
  const bytes = messageOf('lost reply');
  const count = async (): Promise<number> => (await inboxOf(be1, 'alice@example.com')).length;
  await session(be1.ports.lmtp, bytes, { to: ['alice@example.com'], end: 'cut' });
  await session(be1.ports.lmtp, bytes, { to: ['alice@example.com'], end: 'cut' });
  await session(be1.ports.lmtp, bytes, { to: ['alice@example.com'], end: 'quit' });
  assert.equal(await count(), 1);
  await session(be1.ports.lmtp, bytes, { to: ['alice@example.com'], end: 'quit' });
  assert.equal(await count(), 2);
  await session(be1.ports.lmtp, bytes, { to: ['carol@example.com'], end: 'quit' });
  assert.equal((await inboxOf(be1, 'carol@example.com')).length, 1, 'another recipient is another message');
});

test('a client that went on with RSET knows of its 250, also when the line is cut afterwards', async (t) => {
  const be1 = await new TestCluster(t).start(t, 'be1');
  const bytes = messageOf('reset');
  for (const count of [1, 2]) {
    const leg = await openLeg(be1.ports.lmtp);
    assert.equal(await send(leg, bytes, { to: ['alice@example.com'] }), 250);
    await leg.reset();
    leg.destroy();
    assert.equal((await inboxOf(be1, 'alice@example.com')).length, count);
  }
});

test('identical messages in one session, and in two sessions at once, are all delivered', async (t) => {
  const be1 = await new TestCluster(t).start(t, 'be1');
  const bytes = messageOf('twins');
  const [one, two] = await Promise.all([openLeg(be1.ports.lmtp), openLeg(be1.ports.lmtp)]);
  for (const leg of [one, two, one]) assert.equal(await send(leg, bytes, { to: ['alice@example.com'] }), 250);
  assert.equal((await inboxOf(be1, 'alice@example.com')).length, 3);
  await Promise.all([one.quit(), two.quit()]);
});

test('a retry that is here before its client\'s first line is known to be cut adds no copy', async (t) => {
  const be1 = await new TestCluster(t).start(t, 'be1');
  const bytes = messageOf('overtaken');
  const [first, retry] = await Promise.all([openLeg(be1.ports.lmtp), openLeg(be1.ports.lmtp)]);
  assert.equal(await send(first, bytes, { to: ['alice@example.com'] }), 250);
  const retried = send(retry, bytes, { to: ['alice@example.com'] });
  setTimeout(() => first.destroy(), 300);
  assert.equal(await retried, 250);
  await retry.quit();
  assert.equal((await inboxOf(be1, 'alice@example.com')).length, 1);
});

test('the retry after a lost reply may take another way: owner first, custodian then', async (t) => {
  const cluster = new TestCluster(t);
  const be1 = await cluster.start(t, 'be1');
  const be2 = await cluster.start(t, 'be2');
  const bytes = messageOf('another way');
  await session(be1.ports.lmtp, bytes, { to: ['alice@example.com'], end: 'cut' });
  await session(be2.ports.lmtp, bytes, { to: ['alice@example.com'], end: 'quit', custody: 'yes' });
  await until('the custodian has handed over', () => be2.processing.list({ from: '', limit: 1 }).length === 0);
  assert.equal((await inboxOf(be1, 'alice@example.com')).length, 1);
});

test('a custodian that comes back with a message whose retry was delivered meanwhile adds no copy', async (t) => {
  const cluster = new TestCluster(t);
  const sleepy = await cluster.start(t, 'be1', { runner: 'no' });
  const be2 = await cluster.start(t, 'be2');
  const bytes = messageOf('late custodian');
  await session(sleepy.ports.lmtp, bytes, { to: ['bob@example.com'], end: 'cut', custody: 'yes' });
  await sleepy.stop();
  await session(be2.ports.lmtp, bytes, { to: ['bob@example.com'], end: 'quit', custody: 'yes' });
  await until('the retry is delivered', async () => (await inboxOf(be2, 'bob@example.com')).length === 1);
  const be1 = await cluster.start(t, 'be1');
  await until('the late custodian is rid of it', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
  assert.equal((await inboxOf(be2, 'bob@example.com')).length, 1);
  await session(be2.ports.lmtp, bytes, { to: ['bob@example.com'], end: 'quit' });
  assert.equal((await inboxOf(be2, 'bob@example.com')).length, 2, 'the copy that is meant is not swallowed');
});

test('an owner hears later that the client of a handed-over message was cut, and takes the retry for what it is', async (t) => {
  const cluster = new TestCluster(t);
  const be1 = await cluster.start(t, 'be1');
  const be2 = await cluster.start(t, 'be2');
  const bytes = messageOf('cut after hand-over');
  const leg = await openLeg(be1.ports.lmtp);
  assert.equal(await send(leg, bytes, { to: ['bob@example.com'], extra: custodian }), 250);
  await until('it is handed over while the session stands', async () => (await inboxOf(be2, 'bob@example.com')).length === 1);
  assert.equal(be1.processing.list({ from: '', limit: 1 }).length, 1, 'kept until the session ends');
  leg.destroy();
  await until('the owner has heard', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
  await session(be2.ports.lmtp, bytes, { to: ['bob@example.com'], end: 'quit' });
  assert.equal((await inboxOf(be2, 'bob@example.com')).length, 1);
});

test('a hand-over that is repeated under the same queue id brings no second copy', async (t) => {
  const be2 = await new TestCluster(t).start(t, 'be2');
  const bytes = messageOf('repeated');
  const handOver = async (id: string): Promise<void> => {
    const leg = await openLeg(be2.ports.lmtp, { node: 'be1' });
    const extra = new Map([['XWAYBILL-QUEUE', id], ['XWAYBILL-DIGEST', 'ab'.repeat(32)], ['XWAYBILL-ACCEPTED', '1764000000000']]);
    assert.equal(await send(leg, bytes, { to: ['bob@example.com'], extra }), 250);
    leg.destroy();
  };
  await handOver('be1-1');
  await handOver('be1-1');
  assert.equal((await inboxOf(be2, 'bob@example.com')).length, 1);
  await handOver('be1-2');
  assert.equal((await inboxOf(be2, 'bob@example.com')).length, 2, 'another id is another message');
});

test('a hand-over that filled the mailbox is acknowledged when it is repeated', async (t) => {
  const be2 = await new TestCluster(t).start(t, 'be2', { quota: { bytes: 0, messages: 1 } });
  const handOver = async (id: string): Promise<number | undefined> => {
    const leg = await openLeg(be2.ports.lmtp, { node: 'be1' });
    const extra = new Map([['XWAYBILL-QUEUE', id], ['XWAYBILL-DIGEST', 'ab'.repeat(32)], ['XWAYBILL-ACCEPTED', '1764000000000']]);
    const code = await send(leg, messageOf('filling'), { to: ['bob@example.com'], extra });
    await leg.quit();
    return code;
  };
  assert.deepEqual([await handOver('be1-1'), await handOver('be1-1'), await handOver('be1-2')], [250, 250, 452]);
});

test('only a back-end may hand over, and only under ids of its own', async (t) => {
  const be2 = await new TestCluster(t).start(t, 'be2');
  const leg = await openLeg(be2.ports.lmtp, { node: 'be1' });
  const extra = new Map([['XWAYBILL-QUEUE', 'be7-1'], ['XWAYBILL-DIGEST', 'ab'.repeat(32)], ['XWAYBILL-ACCEPTED', '1764000000000']]);
  assert.equal((await leg.mail({ address: 's@example.net', extra })).code, 501);
  await leg.quit();
});

test('a node that is killed while the session stands knows afterwards that its client may not have heard 250', async (t) => {
  const cluster = new TestCluster(t);
  const be2 = await cluster.start(t, 'be2');
  const doomed = await cluster.fork(t, 'be1');
  const direct = messageOf('direct, then killed');
  const queued = messageOf('queued, then killed');
  const legs = await Promise.all([openLeg(doomed.ports.lmtp), openLeg(doomed.ports.lmtp)]);
  assert.equal(await send(legs[0], direct, { to: ['alice@example.com'] }), 250);
  assert.equal(await send(legs[1], queued, { to: ['bob@example.com'], extra: custodian }), 250);
  await until('the queue has handed over', async () => (await inboxOf(be2, 'bob@example.com')).length === 1);
  await doomed.kill();
  const be1 = await cluster.start(t, 'be1');
  await until('the owner has heard', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
  await session(be1.ports.lmtp, direct, { to: ['alice@example.com'], end: 'quit' });
  await session(be2.ports.lmtp, queued, { to: ['bob@example.com'], end: 'quit' });
  assert.equal((await inboxOf(be1, 'alice@example.com')).length, 1);
  assert.equal((await inboxOf(be2, 'bob@example.com')).length, 1);
});

for (const [place, address] of [['on the custodian\'s own node', 'alice@example.com'], ['on another node', 'bob@example.com']] as const) {
  for (const [end, copies] of [['the worker is killed with it', 1], ['the client says QUIT', 2]] as const) {
    test(`an account ${place} has a message that a custodian hands over from a session that stands, though it was accepted before: nothing is added until it is known how that ends; ${end}: ${String(copies)}`, async (t) => {
      const cluster = new TestCluster(t);
      const doomed = await cluster.fork(t, 'be1', { runner: 'no' });
      const be2 = await cluster.start(t, 'be2');
      const bytes = messageOf('handed over from a session that stands');
      const leg = await openLeg(doomed.ports.lmtp);
      assert.equal(await send(leg, bytes, { to: [address], extra: custodian }), 250);
      const owner = address === 'alice@example.com' ? doomed : be2;
      await session(owner.ports.lmtp, bytes, { to: [address], end: 'quit' });
      const be1 = await cluster.start(t, 'be1');
      const count = async (): Promise<number> => (await inboxOf(address === 'alice@example.com' ? be1 : be2, address)).length;
      await until('it was tried', () => /in use|came again/.test(be1.processing.list({ from: '', limit: 1 })[0]?.recipients[0]?.lastWords ?? ''));
      assert.equal(await count(), 1);
      if (copies === 1) await doomed.kill();
      else await leg.quit();
      await until('the queue is empty', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
      assert.equal(await count(), copies);
    });
  }
}

test('the same bytes from many sessions that stand hold up no other mail that is handed over', async (t) => {
  const cluster = new TestCluster(t);
  const sessions = await cluster.fork(t, 'be1', { runner: 'no' });
  const be2 = await cluster.start(t, 'be2');
  const bytes = messageOf('from many sessions');
  for (let count = 0; count < 60; count += 1) assert.equal(await send(await openLeg(sessions.ports.lmtp), bytes, { to: ['bob@example.com'], extra: custodian }), 250);
  assert.equal(await send(await openLeg(sessions.ports.lmtp), messageOf('behind them'), { to: ['dave@example.com'], extra: custodian }), 250);
  await cluster.start(t, 'be1');
  await until('what came behind them is there', async () => (await inboxOf(be2, 'dave@example.com')).length === 1);
  await until('all are there', async () => (await inboxOf(be2, 'bob@example.com')).length === 60);
});

test('a worker is killed with its client\'s session, and the retry is there before the message has left the queue: one copy', async (t) => {
  const cluster = new TestCluster(t);
  const doomed = await cluster.fork(t, 'be1', { runner: 'no' });
  const be1 = await cluster.start(t, 'be1'); // looks for sessions that ended with their process as it starts, and 2 s later
  const bytes = messageOf('retried before it was handed over');
  assert.equal(await send(await openLeg(doomed.ports.lmtp), bytes, { to: ['alice@example.com'], extra: custodian }), 250);
  await doomed.kill();
  await session(be1.ports.lmtp, bytes, { to: ['alice@example.com'], end: 'quit' });
  await until('the queue is empty', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
  assert.equal((await inboxOf(be1, 'alice@example.com')).length, 1);
});
