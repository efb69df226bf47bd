import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { delayAfter, delayByAge, defaultRetryOptions } from '../../../backend/processing/retry-schedule.ts';
import type { World } from './cluster.ts';
import { inboxOf, lookEveryMs, messageOf, openLeg, pieces, startWorld, TestCluster, until } from './cluster.ts';
import { submit } from './submit.ts';

const toWorld = (world: Pick<World, 'port'>, domain = '*'): { domain: string; host: string; port: number; tls: 'none' } => ({ domain, host: '127.0.0.1', port: world.port, tls: 'none' });

/** A port of this machine on which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('waits double from five minutes up to eight hours, as the manual says', () => {
  const minutes = Array.from({ length: 9 }, (_, index) => delayAfter(defaultRetryOptions.refused, index + 1, 0) / 60_000);
  assert.deepEqual(minutes, [5, 10, 20, 40, 80, 160, 320, 480, 480]);
  const held: number[] = [];
  for (let ageMs = 0; ageMs < 20_000;) {
    held.push(ageMs);
    ageMs += delayByAge(defaultRetryOptions.moved, ageMs, 0);
  }
  assert.deepEqual(held, [0, 500, 1000, 2000, 4000, 8000, 12_000, 16_000], 'while a mailbox is in use');
  const spread = Array.from({ length: 200 }, () => delayAfter({ firstDelayMs: 1000, maxDelayMs: 1000 }, 1, 0.1));
  assert.ok(spread.every((delay) => delay >= 900 && delay <= 1100) && new Set(spread).size > 20);
});

test('a recipient who is refused for now is tried again on schedule, and no sooner; the others are not sent again', async (t) => {
  const seen: number[] = [];
  const world = await startWorld(t, {
    onRcptTo: ({ address }, _, done) => {
      if (address !== 'grey@example.net') return done();
      seen.push(Date.now());
      return seen.length < 4 ? done(Object.assign(new Error('4.7.1 come back later'), { responseCode: 450 })) : done();
    },
  });
  const be1 = await new TestCluster(t).start(t, 'be1', { routes: [toWorld(world)] });
  await submit(be1, messageOf('greylisted'), { to: ['grey@example.net', 'white@example.net'] });
  await until('both have it', () => world.taken.length === 2);
  assert.deepEqual(world.taken.map(({ to }) => to), [['white@example.net'], ['grey@example.net']]);
  const waits = seen.slice(1).map((time, index) => time - (seen[index] ?? 0));
  for (const [index, atLeast] of [100, 200, 400].entries()) assert.ok((waits[index] ?? 0) >= atLeast - 5, `wait ${String(index)} was ${String(waits[index])} ms`);
  await until('the queue is empty', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
});

test('mail for a node that is down waits without being counted, and goes at once when the node is back', async (t) => {
  const cluster = new TestCluster(t);
  const be1 = await cluster.start(t, 'be1', { retry: { maxRetries: 0 } });
  cluster.announce('be2', await deadPort());
  for (const subject of ['one', 'two', 'three']) await submit(be1, messageOf(subject), { to: ['bob@example.com'] });
  await until('it has been tried', () => be1.processing.list({ from: '', limit: 9 }).every(({ recipients }) => recipients[0]?.destination === 'node:be2' && recipients[0].lastWords !== undefined));
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal((await inboxOf(be1, 'alice@example.com')).length, 0, 'nothing is reported as failed');
  const be2 = await cluster.start(t, 'be2');
  await until('all is there', async () => (await inboxOf(be2, 'bob@example.com')).length === 3);
  await until('the queue is empty', () => be1.processing.list({ from: '', limit: 1 }).length === 0);
});

test('the first success after an outage takes along all that waited for the destination', async (t) => {
  const cluster = new TestCluster(t);
  const port = await deadPort();
  const retry = { refused: { firstDelayMs: 400, maxDelayMs: 6400 } };
  const be1 = await cluster.start(t, 'be1', { routes: [toWorld({ port })], retry });
  await submit(be1, messageOf('one'), { to: ['x@example.net'] });
  await submit(be1, messageOf('two'), { to: ['y@example.net'] });
  const tries = (): number[] => be1.processing.list({ from: '', limit: 9 }).map(({ recipients }) => recipients[0]?.tries ?? 0);
  await until('both were tried thrice', () => tries().every((count) => count >= 3), 5000); // the next try is 1.6 s or more away
  const startedMs = Date.now();
  const world = await startWorld(t, { port });
  await submit(be1, messageOf('three'), { to: ['z@example.net'] });
  await until('the world has all three', () => world.taken.length === 3, 5000);
  assert.ok(Date.now() - startedMs < 1300, `${String(Date.now() - startedMs)} ms`);
});

test('a destination that hangs holds up nobody else', async (t) => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const sockets = new Set<{ destroy(): void }>();
  silent.on('connection', (socket) => sockets.add(socket));
  t.after(() => {
    silent.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = silent.address();
  const hanging = { port: typeof address === 'object' && address !== null ? address.port : 0 };
  const world = await startWorld(t);
  const be1 = await new TestCluster(t).start(t, 'be1', { routes: [toWorld(hanging, 'slow.example.net'), toWorld(world)] });
  for (let count = 0; count < 20; count += 1) await submit(be1, messageOf(`slow ${String(count)}`), { to: ['x@slow.example.net'] });
  const startedMs = Date.now();
  await submit(be1, messageOf('quick'), { to: ['x@example.net'] });
  await until('the quick one is through', () => world.taken.length === 1);
  assert.ok(Date.now() - startedMs < 2000);
  assert.ok(sockets.size <= 2, `${String(sockets.size)} connections to the server that hangs`);
  for (const socket of sockets) socket.destroy();
  silent.close();
});

test('a directory outage holds mail up, and bounces nothing', async (t) => {
  const be1 = await new TestCluster(t).start(t, 'be1', { owners: { 'alice@example.com': 'be1', 'outage-of@example.com': 'be1' } });
  const leg = await openLeg(be1.ports.lmtp);
  await leg.mail({ address: 'alice@example.com', extra: new Map([['XWAYBILL-CUSTODIAN', true]]) });
  await leg.rcpt({ address: 'outage-of@example.com' });
  assert.equal((await leg.data(pieces(messageOf('patience'))))[0]?.code, 250);
  await leg.quit();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const [item] = be1.processing.list({ from: '', limit: 1 });
  assert.equal(item?.recipients[0]?.state.at, 'waiting');
  assert.equal((await inboxOf(be1, 'alice@example.com')).length, 0);
});

test('a runner that must stop cuts what hangs, and its mail is tried again by the next', async (t) => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => silent.close());
  silent.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.write('220 slow.example.net\r\n');
  });
  const address = silent.address();
  const cluster = new TestCluster(t);
  const hanging = { port: typeof address === 'object' && address !== null ? address.port : 0 };
  const first = await cluster.start(t, 'be1', { routes: [toWorld(hanging)] });
  await submit(first, messageOf('hangs'), { to: ['x@example.net'] });
  await new Promise((resolve) => setTimeout(resolve, 400));
  const startedMs = Date.now();
  await first.stop();
  assert.ok(Date.now() - startedMs < 5000);
  const world = await startWorld(t);
  await cluster.start(t, 'be1', { routes: [toWorld(world)] });
  await until('the world has it', () => world.taken.length === 1);
});

test('a message of the greatest size goes through a custodian, whose fields come on top', async (t) => {
  const cluster = new TestCluster(t);
  const be1 = await cluster.start(t, 'be1');
  const be2 = await cluster.start(t, 'be2');
  const line = `${'x'.repeat(998)}\r\n`;
  const bytes = Buffer.from(`Subject: big\r\n${'Received: from a by b; Tue, 24 Nov 2026 10:00:00 +0000\r\n'.repeat(30)}\r\n`);
  const whole = Buffer.concat([bytes, Buffer.from(line.repeat(Math.floor((50 * 2 ** 20 - bytes.length) / line.length)))]);
  const leg = await openLeg(be1.ports.lmtp);
  await leg.mail({ address: 's@example.net', extra: new Map([['XWAYBILL-CUSTODIAN', true]]) });
  await leg.rcpt({ address: 'bob@example.com' });
  assert.equal((await leg.data(pieces(whole)))[0]?.code, 250);
  await leg.quit();
  await until('it is there', async () => (await inboxOf(be2, 'bob@example.com')).length === 1, 60_000);
  const [stored = ''] = await inboxOf(be2, 'bob@example.com');
  assert.ok(stored.endsWith(whole.toString('latin1')), 'byte for byte');
});

test('mail for an account whose last bit is being moved goes on within a second after that, on this node and over LMTP', async (t) => {
  const cluster = new TestCluster(t);
  const slow = { firstDelayMs: 60_000, maxDelayMs: 60_000 };
  const [be1, be2] = [await cluster.start(t, 'be1', { retry: { refused: slow, outage: slow } }), await cluster.start(t, 'be2')];
  for (const [node, address] of [[be1, 'alice@example.com'], [be2, 'bob@example.com']] as const) {
    await node.storage.createAccount(address);
    const { hold, release } = node.storage.transfers.leaving;
    await hold(address, { token: 'be3/1', forMs: 30_000 });
    const leg = await openLeg(be1.ports.lmtp);
    await leg.mail({ address: 'x@example.net', extra: new Map([['XWAYBILL-CUSTODIAN', true]]) });
    await leg.rcpt({ address });
    assert.equal((await leg.data(pieces(messageOf(`to ${address}`))))[0]?.code, 250);
    await leg.quit();
    await until('it was tried', () => be1.processing.list({ from: '', limit: 9 }).some(({ recipients }) => recipients[0]?.lastWords !== undefined));
    await release(address, 'be3/1');
    let looks = 0; // a second of this process, whose nodes these are: on a busy machine all of it takes longer
    await until('it is there', async () => {
      looks += 1;
      return (await inboxOf(node, address)).length === 1;
    });
    assert.ok(looks * lookEveryMs < 1000, `${address}: ${String(looks)} looks`);
    const [item] = be1.processing.list({ from: '', limit: 1 });
    assert.equal(item?.recipients[0]?.tries ?? 0, 0);
  }
});
