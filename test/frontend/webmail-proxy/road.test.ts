/** The road from a front-end to the back-end that keeps the mailbox: who vouches, who is asked, and what happens when it is away. */
import { spawnSync } from 'node:child_process';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Failure } from '../../../shared/base/failure.ts';
import { ApiUser, clusterFor, formBody } from '../../backend/webmail/harness.ts';
import { EventStream } from '../../harness/event-stream.ts';
import { plainMail } from '../../harness/hostile-mail.ts';
import { WebClient } from '../../harness/web-client.ts';
import { certificateOf, password } from '../../harness/webmail-cluster.ts';

const alice = 'alice@example.com';
const bob = 'bob@example.com';

test('each user lands at the own back-end, and one cookie serves at both front-ends', async (t) => {
  const cluster = await clusterFor(t);
  await cluster.deliver(bob, plainMail({ from: 'a@example.net', to: bob, subject: 'for bob', text: 'x' }));
  const user = await ApiUser.signedIn(cluster.urls[0], 'BOB@Example.com');
  const elsewhere = new ApiUser(cluster.urls[1], new WebClient({ cookie: user.client.cookie }));
  const inbox = await elsewhere.mailbox('inbox');
  assert.deepEqual((await elsewhere.list(inbox.id)).messages.map(({ subject }) => subject), ['for bob']);
  assert.deepEqual(cluster.backends.be1.storage.addresses(), []);
});

test('a client can not speak for others by a front-end\'s headers', async (t) => {
  const cluster = await clusterFor(t);
  const user = await ApiUser.signedIn(cluster.urls[0], alice);
  const headers = { 'x-waybill-user': bob, 'X-Waybill-Epoch': '1', 'x-waybill-other': '1', connection: 'x-waybill-user, close', 'x-forwarded-for': '192.0.2.1' };
  const answer = await user.client.ask(`${cluster.urls[0]}/api/session`, { headers });
  assert.deepEqual([answer.status, answer.json['address']], [200, alice]);
  assert.equal((await new WebClient().ask(`${cluster.urls[0]}/api/session`, { headers })).kind, 'signed-out');
});

test('a back-end that is down: its users are told so and to come again, the others notice nothing, and it comes back', async (t) => {
  const cluster = await clusterFor(t);
  const [first, second] = [await ApiUser.signedIn(cluster.urls[0], alice), await ApiUser.signedIn(cluster.urls[0], bob)];
  await first.mailboxes();
  await cluster.backends.be1.stop();
  const answer = await first.client.ask(`${first.url}/api/mailboxes`);
  assert.deepEqual([answer.status, answer.kind, answer.headers['retry-after']], [503, 'backend-unavailable', '5']);
  assert.match(answer.bytes.toString(), /can't be reached right now/);
  assert.equal((await new WebClient().post(`${first.url}/api/sign-in`, { name: alice, password })).kind, 'backend-unavailable');
  assert.equal((await second.mailboxes()).length, 5);
  await cluster.backends.be1.restart();
  assert.equal((await first.mailboxes()).length, 5);
});

test('a back-end that is silent is given up in time, and its waiting requests are bounded', async (t) => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const address = silent.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const own = certificateOf('fe1');
  const tls = { cert: own.certificate, key: own.key, ca: own.authority, servername: 'localhost' };
  const limits = { maxHeaderBytes: 16_384, requestTimeoutMs: 30_000, idleTimeoutMs: 30_000, connectTimeoutMs: 300, answerTimeoutMs: 600, maxBodyBytes: 1000, queue: { connections: 1, connectionsPerUser: 1, maxWaiting: 0, longestWaitMs: 1000 } };
  const healthy = await clusterFor(t);
  const { client } = await ApiUser.signedIn(healthy.urls[0], alice);
  const cluster = await clusterFor(t, { proxy: { backendFor: (node) => ({ node, host: '127.0.0.1', port, tls }), limits } });
  const startMs = Date.now();
  const ask = async (): Promise<readonly [string | undefined, number]> => [(await client.ask(`${cluster.urls[0]}/api/session`)).kind, Date.now() - startMs];
  const [slow, refused] = await Promise.all([ask(), new Promise((resolve) => setTimeout(resolve, 150)).then(ask)]);
  assert.equal(slow[0], 'backend-unavailable');
  assert.ok(slow[1] >= 250 && slow[1] < 2500, `gave up after ${String(slow[1])} ms`);
  assert.equal(refused[0], 'backend-unavailable');
  assert.ok(refused[1] < slow[1], 'the second is refused at once');
});

test('connections to a back-end are kept, whatever name clients call this node by', async (t) => {
  const cluster = await clusterFor(t);
  const user = await ApiUser.signedIn(cluster.urls[0], alice);
  let opened = 0;
  const counter = createServer((socket) => {
    opened += 1;
    const onward = connect(cluster.backends.be1.port, '127.0.0.1').on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy()).pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => counter.listen(0, '127.0.0.1', resolve));
  t.after(() => counter.close());
  const address = counter.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const { certificate, key, authority } = certificateOf('fe1');
  const counted = await clusterFor(t, { proxy: { backendFor: (node) => ({ node, host: '127.0.0.1', port, tls: { cert: certificate, key, ca: authority } }) } });
  for (let index = 0; index < 10; index += 1) assert.equal((await user.client.ask(`${counted.urls[0]}/api/session`, { headers: { host: `name${String(index)}.example.com` } })).status, 200);
  assert.equal(opened, 1);
});

test('a back-end that refers elsewhere is followed once, also with a body', async (t) => {
  const cluster = await clusterFor(t);
  const user = await ApiUser.signedIn(cluster.urls[0], alice);
  await user.mailboxes();
  cluster.directory.set(alice, 'be2');
  await cluster.backends.be2.storage.createAccount(alice);
  await cluster.backends.be1.storage.markMoved(alice, 'be2', 2);
  const answer = await user.client.post(`${user.url}/api/drafts`, { to: bob, subject: 'at the new place', text: 'x' });
  assert.equal(answer.status, 200, answer.bytes.toString());
  const drafts = await user.mailbox('drafts');
  assert.deepEqual((await user.list(drafts.id)).messages.map(({ subject }) => subject), ['at the new place']);
  const fresh = await ApiUser.signedIn(cluster.urls[1], alice);
  assert.equal((await fresh.mailbox('drafts')).messages, 1);
});

test('a user whose entry is gone is out at once, and an absent directory is no wrong password', async (t) => {
  let up = true;
  const cluster = await clusterFor(t, {
    proxy: {
      authentication: { logIn: async () => Promise.reject(new Failure('directory-unavailable', 'The directory is away.')) },
      mapping: {
        forget: () => undefined,
        lookUp: async () => (up ? Promise.resolve({ kind: 'unknown', from: 'directory' }) : Promise.reject(new Failure('directory-unavailable', 'The directory is away.'))),
      },
    },
  });
  const direct = await ApiUser.signedIn(cluster.backends.be1.url, alice);
  const kindNow = async (): Promise<string | undefined> => (await direct.client.ask(`${cluster.urls[0]}/api/session`)).kind;
  assert.equal(await kindNow(), 'signed-out');
  up = false;
  assert.equal(await kindNow(), 'directory-unavailable');
  const answer = await new WebClient().post(`${cluster.urls[0]}/api/sign-in`, { name: alice, password });
  assert.deepEqual([answer.status, answer.kind], [503, 'directory-unavailable']);
});

test('news of a delivery come through the front-end, and a closed page leaves nothing open behind it', async (t) => {
  const cluster = await clusterFor(t);
  const user = await ApiUser.signedIn(cluster.urls[0], alice);
  const openAll = async (): Promise<EventStream[]> => Promise.all(Array.from({ length: 20 }, async () => EventStream.open(`${user.url}/api/events`, user.client.cookie)));
  const streams = await openAll();
  assert.ok(streams.every(({ status }) => status === 200));
  assert.equal((await EventStream.open(`${user.url}/api/events`, user.client.cookie)).status, 429);
  await cluster.deliver(alice, plainMail({ from: 'a@example.net', to: alice, subject: 'news', text: 'x' }));
  await Promise.all(streams.map(async (stream) => stream.until('event: change')));
  for (const stream of streams) stream.cut();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const again = await openAll();
  assert.ok(again.every(({ status }) => status === 200), 'the back-end knows that the first are gone');
  for (const stream of again) stream.cut();
});

test('ten megabytes go up and come down through the front-end whole', async (t) => {
  const cluster = await clusterFor(t);
  const user = await ApiUser.signedIn(cluster.urls[0], alice);
  const bytes = Buffer.alloc(10_000_000, 'a rather large thing ');
  const form = await formBody({ to: bob, subject: 'large', text: 't' }, [{ name: 'large.bin', bytes }]);
  assert.equal((await user.client.ask(`${user.url}/api/send`, { method: 'POST', ...form })).status, 200);
  const reader = await ApiUser.signedIn(cluster.urls[1], bob);
  const inbox = await reader.mailbox('inbox');
  const part = await reader.client.ask(`${reader.url}/api/mailboxes/${String(inbox.id)}/messages/1/parts/2`);
  assert.ok(part.bytes.equals(bytes));
  const tooBig = await user.client.ask(`${user.url}/api/send`, { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=x', 'content-length': '90000000' } }).catch(() => undefined);
  assert.ok(tooBig === undefined || tooBig.kind === 'message-too-big');
});

test('http-proxy is loaded without its warning, and other warnings stay', () => {
  const program = "const { Pools } = await import('./frontend/webmail-proxy/pools.ts'); await import('./frontend/webmail-proxy/proxy.ts').then(({ ApiProxy }) => new ApiProxy({ connectTimeoutMs: 1, answerTimeoutMs: 1 }, new Pools(1))); process.emitWarning('another', 'DeprecationWarning', 'DEP9999')";
  const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', timeout: 60_000 });
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stderr, /DEP0060/);
  assert.match(stderr, /DEP9999/);
});
