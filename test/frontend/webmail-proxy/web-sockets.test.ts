/** WebSocket through the front-end: the page's news from real back-ends, and any bytes at all before a server that a test decides about. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { acceptanceOf } from '../../../shared/http/web-socket-frames.ts';
import { ApiUser, clusterFor } from '../../backend/webmail/harness.ts';
import { plainMail } from '../../harness/hostile-mail.ts';
import { certificateOf } from '../../harness/webmail-cluster.ts';
import { handshakeFields, openWebSocket, rawHandshake, trustAuthority } from '../../harness/web-socket-client.ts';
import { cookieOf, frontEndBefore, otherBackend, usualLimits, waitUntil } from './other-backend.ts';

const alice = 'alice@example.com';
trustAuthority(certificateOf('fe1').authority);

const cookieOfUser = ({ client }: ApiUser): Record<string, string> => ({ cookie: client.cookie ?? '' });

test('news of a delivery come by WebSocket, and pages that are closed leave nothing open at the back-end', async (t) => {
  const cluster = await clusterFor(t);
  const user = await ApiUser.signedIn(cluster.urls[0], alice);
  const open = async (): ReturnType<typeof openWebSocket> => openWebSocket(`${user.url}/api/events`, { ...cookieOfUser(user), origin: user.url });
  const lines = await Promise.all(Array.from({ length: 20 }, open));
  await assert.rejects(open(), /refused/, 'a twenty-first');
  await cluster.deliver(alice, plainMail({ from: 'a@example.net', to: alice, subject: 'news', text: 'x' }));
  assert.ok(await waitUntil(() => lines.every(({ heard }) => heard.texts.includes('change'))));
  for (const { socket } of lines) socket.close();
  assert.deepEqual([...new Set((await Promise.all(lines.map(async ({ heard }) => heard.over))).map(({ code }) => code))], [1000]);
  const again = await Promise.all(Array.from({ length: 20 }, open));
  for (const { socket } of again) socket.close();
});

test('the handshake needs the session, and the page\'s own origin; refusals come in words', async (t) => {
  const cluster = await clusterFor(t);
  const user = await ApiUser.signedIn(cluster.urls[0], alice);
  const cookie = `cookie: ${user.client.cookie ?? ''}\r\n`;
  const answerTo = async (path: string, fields: string): Promise<string> => {
    const raw = await rawHandshake(`${user.url}${path}`, `${handshakeFields}${fields}`);
    const text = (await raw.until((received) => received.includes('\r\n\r\n'))).toString();
    raw.socket.destroy();
    return text;
  };
  assert.match(await answerTo('/api/events', cookie), /^HTTP\/1\.1 101 .*sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/is);
  assert.match(await answerTo('/api/events', ''), /^HTTP\/1\.1 401 .*signed-out/s);
  assert.match(await answerTo('/api/events', `${cookie}origin: https://evil.example\r\n`), /^HTTP\/1\.1 403 .*cross-site/s);
  assert.match(await answerTo('/api/events', `${cookie}sec-fetch-site: same-site\r\n`), /^HTTP\/1\.1 403 /);
  assert.match(await answerTo('/api/session', cookie), /^HTTP\/1\.1 404 .*no-such-thing/s);
  assert.match(await answerTo('/api/events', `${cookie}connection: x-waybill-user\r\nx-waybill-user: bob@example.com\r\n`), /^HTTP\/1\.1 101 /);
  await cluster.backends.be1.stop();
  assert.match(await answerTo('/api/events', cookie), /^HTTP\/1\.1 503 .*retry-after: 5.*backend-unavailable/s);
});

test('a referral is followed, also by WebSocket', async (t) => {
  const cluster = await clusterFor(t);
  const user = await ApiUser.signedIn(cluster.urls[0], alice);
  await user.mailboxes();
  cluster.directory.set(alice, 'be2');
  await cluster.backends.be2.storage.createAccount(alice);
  await cluster.backends.be1.storage.markMoved(alice, 'be2', 2);
  const { socket, heard } = await openWebSocket(`${user.url}/api/events`, cookieOfUser(user));
  await cluster.deliver(alice, plainMail({ from: 'a@example.net', to: alice, subject: 'news', text: 'x' }));
  assert.ok(await waitUntil(() => heard.texts.includes('change')));
  socket.close();
});

test('a back-end that stops says so; a front-end that stops ends its sockets at once', async (t) => {
  const cluster = await clusterFor(t);
  const user = await ApiUser.signedIn(cluster.urls[0], alice);
  const first = await openWebSocket(`${user.url}/api/events`, cookieOfUser(user));
  await cluster.backends.be1.stop();
  assert.equal((await first.heard.over).code, 1001);
  await cluster.backends.be1.restart();
  const second = await openWebSocket(`${user.url}/api/events`, cookieOfUser(user));
  const began = Date.now();
  await cluster.stopFrontends(10_000);
  await second.heard.over;
  assert.ok(Date.now() - began < 3000, `${String(Date.now() - began)} ms`);
});

/** Switches protocols and gives every byte back. */
function echo(request: { readonly headers: Record<string, string | string[] | undefined> }, socket: Socket): void {
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${acceptanceOf(request.headers) ?? ''}\r\nsec-websocket-protocol: chat\r\n\r\n`);
  socket.pipe(socket);
}

test('every byte goes through both ways, what comes with the handshake too', async (t) => {
  const backend = await otherBackend(t, { answer: (_, response) => response.end('{}'), upgrade: echo });
  const url = await frontEndBefore(t, { be1: backend });
  const raw = await rawHandshake(`${url}/api/chat`, `${handshakeFields}sec-websocket-protocol: chat\r\nsec-websocket-extensions: permessage-deflate\r\nx-forwarded-for: 192.0.2.1\r\ncookie: ${cookieOf(alice)}\r\n`);
  const bytes = randomBytes(8_000_000);
  raw.socket.write(bytes);
  const all = await raw.until((received) => received.length >= bytes.length && received.includes('\r\n\r\n') && received.length >= received.indexOf('\r\n\r\n') + 4 + bytes.length);
  assert.match(all.toString('latin1', 0, all.indexOf('\r\n\r\n')), /sec-websocket-protocol: chat/);
  assert.ok(all.subarray(all.indexOf('\r\n\r\n') + 4).equals(bytes));
  const [request] = backend.requests;
  assert.deepEqual(
    ['sec-websocket-extensions', 'x-forwarded-for', 'x-waybill-user', 'cookie', 'x-forwarded-proto'].map((name) => request?.headers[name]),
    ['permessage-deflate', '127.0.0.1', alice, undefined, 'https'],
  );
  raw.socket.destroy();
  assert.ok(await waitUntil(() => backend.sockets.size === 0), 'the back-end\'s side is closed too');
});

test('whoever leaves, at whatever moment, no connection stays behind', async (t) => {
  const waiting: Socket[] = [];
  const backend = await otherBackend(t, {
    answer: (_, response) => response.end('{}'),
    upgrade: (request, socket) => {
      if (request.url === '/api/silent') waiting.push(socket);
      else echo(request, socket);
    },
  });
  const url = await frontEndBefore(t, { be1: backend });
  const open = async (path: string): ReturnType<typeof rawHandshake> => rawHandshake(`${url}${path}`, `${handshakeFields}cookie: ${cookieOf(alice)}\r\n`);
  const joined = await Promise.all(Array.from({ length: 20 }, async () => open('/api/chat')));
  await Promise.all(joined.map(async (raw) => raw.until((received) => received.includes('\r\n\r\n'))));
  for (const [index, raw] of joined.entries()) if (index % 2 === 0) raw.socket.destroy();
  assert.ok(await waitUntil(() => backend.sockets.size === 10), 'clients that left');
  for (const socket of backend.sockets) socket.destroy();
  assert.ok(await waitUntil(() => joined.every(({ socket }) => socket.destroyed)), 'the back-end left');
  const silent = await Promise.all(Array.from({ length: 10 }, async () => open('/api/silent')));
  assert.ok(await waitUntil(() => waiting.length === 10));
  for (const { socket } of silent) socket.destroy();
  assert.ok(await waitUntil(() => backend.sockets.size === 0), 'in the middle of the handshake');
});

test('a back-end that does not answer a handshake, resets it, or refuses it in words without end, is an outage', async (t) => {
  const backend = await otherBackend(t, {
    answer: (_, response) => response.end('{}'),
    upgrade: (request, socket) => {
      const refusal = 'HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\n';
      if (request.url === '/api/reset') socket.destroy();
      if (request.url === '/api/half') socket.write(`${refusal}content-length: 100\r\n\r\nsomething`);
      if (request.url === '/api/long') socket.write(`${refusal}content-length: 100000\r\n\r\n${'x'.repeat(50_000)}`);
    },
  });
  const url = await frontEndBefore(t, { be1: backend }, { limits: { ...usualLimits, connectTimeoutMs: 200, answerTimeoutMs: 300 } });
  for (const path of ['/api/reset', '/api/silent', '/api/half', '/api/long']) {
    const raw = await rawHandshake(`${url}${path}`, `${handshakeFields}cookie: ${cookieOf(alice)}\r\n`);
    assert.match((await raw.until((received) => received.includes('backend-unavailable'))).toString(), /^HTTP\/1\.1 503 /, path);
  }
  assert.ok(await waitUntil(() => backend.sockets.size === 0));
});
