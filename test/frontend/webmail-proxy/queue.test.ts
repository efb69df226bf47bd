/** The queue in front of a back-end, and the pool behind it: what is bounded, who waits, and whom a slow one never keeps waiting. */
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { BackendQueue } from '../../../frontend/webmail-proxy/backend-queue.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { WebClient } from '../../harness/web-client.ts';
import { cookieOf, frontEndBefore, otherBackend, usualLimits, waitUntil } from './other-backend.ts';

const alice = 'alice@example.com';
const carol = 'carol@example.com';
const bob = 'bob@example.com';
const here = new AbortController().signal;
const busy = (error: unknown): boolean => isFailure(error, 'backend-unavailable');

test('the bound holds, those who wait get in by turns, and one user leaves room for the others', async () => {
  const queue = new BackendQueue({ connections: 3, connectionsPerUser: 2, maxWaiting: 2, longestWaitMs: 10_000 });
  const [first, second] = [await queue.enter(alice, here), await queue.enter(alice, here)];
  const order: string[] = [];
  const third = queue.enter(alice, here).then((leave) => { order.push('alice'); return leave; });
  const other = await queue.enter(bob, here); // before alice's third, though there is room for one more
  const last = queue.enter(carol, here).then((leave) => { order.push('carol'); return leave; });
  await assert.rejects(queue.enter(carol, here), busy);
  other();
  const leaveLast = await last;
  assert.deepEqual(order, ['carol'], 'alice has her share');
  first();
  (await third)();
  second();
  leaveLast();
  for (const user of [alice, bob, carol]) (await queue.enter(user, here))();
});

test('a wait ends: by its time, or when the client leaves; neither keeps a place', async () => {
  const queue = new BackendQueue({ connections: 1, connectionsPerUser: 1, maxWaiting: 1, longestWaitMs: 50 });
  const leave = await queue.enter(alice, here);
  const began = Date.now();
  await assert.rejects(queue.enter(bob, here), busy);
  assert.ok(Date.now() - began >= 45);
  const leaving = new AbortController();
  const waiting = queue.enter(bob, leaving.signal);
  leaving.abort(new Error('left'));
  await assert.rejects(waiting, /left/);
  leave();
  (await queue.enter(bob, here))();
});

test('a slow back-end: so many connections, so many waiting, the rest 503 with Retry-After at once; another back-end\'s users notice nothing', async (t) => {
  const held: ServerResponse[] = [];
  const slow = await otherBackend(t, { answer: (_, response) => void held.push(response) });
  const quick = await otherBackend(t, { answer: (_, response) => response.end('{}') });
  const url = await frontEndBefore(t, { be1: slow, be2: quick }, { limits: { ...usualLimits, queue: { connections: 4, connectionsPerUser: 4, maxWaiting: 3, longestWaitMs: 4000 } } });
  const ask = async (address: string): Promise<{ readonly status: number; readonly ms: number; readonly retryAfter: string | undefined }> => {
    const began = Date.now();
    const { status, headers } = await new WebClient({ cookie: cookieOf(address) }).ask(`${url}/api/session`);
    return { status, ms: Date.now() - began, retryAfter: headers['retry-after'] };
  };
  const asked = Array.from({ length: 7 }, async () => ask(alice));
  assert.ok(await waitUntil(() => held.length === 4));
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(held.length, 4, 'no more than there are connections');
  const refused = await Promise.all(Array.from({ length: 5 }, async () => ask(carol)));
  assert.deepEqual(refused.map(({ status, retryAfter }) => [status, retryAfter]), Array.from({ length: 5 }, () => [503, '5']));
  const others = await Promise.all(Array.from({ length: 20 }, async () => ask(bob)));
  assert.ok(others.every(({ status }) => status === 200));
  assert.ok(Math.max(...refused.map(({ ms }) => ms)) < 3000 && Math.max(...others.map(({ ms }) => ms)) < 3000, 'at once');
  for (let served = 0; served < 7; served += 1) {
    assert.ok(await waitUntil(() => held.length > served));
    held[served]?.end('{}');
  }
  assert.deepEqual((await Promise.all(asked)).map(({ status }) => status), Array.from({ length: 7 }, () => 200));
  assert.ok(slow.made() <= 4, `${String(slow.made())} connections`);
});

test('who waits too long gets 503, and who leaves the queue is not asked for', async (t) => {
  const held: ServerResponse[] = [];
  const slow = await otherBackend(t, { answer: (_, response) => void held.push(response) });
  const url = await frontEndBefore(t, { be1: slow }, { limits: { ...usualLimits, queue: { connections: 1, connectionsPerUser: 1, maxWaiting: 5, longestWaitMs: 300 } } });
  const client = new WebClient({ cookie: cookieOf(alice) });
  const first = client.ask(`${url}/api/session`);
  assert.ok(await waitUntil(() => held.length === 1));
  const { status, headers } = await client.ask(`${url}/api/mailboxes`);
  assert.deepEqual([status, headers['retry-after']], [503, '5']);
  held[0]?.end('{}');
  assert.equal((await first).status, 200);
  assert.deepEqual(slow.requests.map((request) => request.url), ['/api/session']);
});

test('a hundred requests one after another and ten at a time need few connections', async (t) => {
  const backend = await otherBackend(t, { answer: (_, response) => response.end('{}') });
  const url = await frontEndBefore(t, { be1: backend });
  const client = new WebClient({ cookie: cookieOf(alice) });
  for (let index = 0; index < 100; index += 1) assert.equal((await client.ask(`${url}/api/session`)).status, 200);
  const alone = backend.made();
  for (let round = 0; round < 10; round += 1) await Promise.all(Array.from({ length: 10 }, async () => client.ask(`${url}/api/session`)));
  t.diagnostic(`connections made for 100 requests one by one: ${String(alone)}; for 100 more, ten at a time: ${String(backend.made() - alone)}`);
  assert.equal(alone, 1);
  assert.ok(backend.made() <= usualLimits.queue.connections);
});

test('a back-end that closes kept connections is no error for who reads, and is not asked twice to write', async (t) => {
  let cut = false;
  const backend = await otherBackend(t, {
    answer: (request, response) => {
      if (!cut) {
        request.resume();
        response.end('{}');
        return;
      }
      cut = false; // as if it had closed the connection just when the request came
      request.socket.destroy();
    },
  });
  const url = await frontEndBefore(t, { be1: backend });
  const client = new WebClient({ cookie: cookieOf(alice) });
  for (let round = 0; round < 5; round += 1) {
    assert.equal((await client.ask(`${url}/api/session`)).status, 200);
    cut = true;
    assert.equal((await client.ask(`${url}/api/session`)).status, 200);
  }
  assert.equal((await client.ask(`${url}/api/session`)).status, 200);
  const before = backend.requests.length;
  cut = true;
  assert.equal((await client.post(`${url}/api/send`, {})).status, 503);
  assert.equal(backend.requests.length, before + 1);
});
