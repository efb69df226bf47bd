/** Who is believed: front-ends by certificate and configuration, browsers by cookie, nobody by headers alone. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createLog } from '../../../shared/log/log.ts';
import { signSession } from '../../../shared/session-cookie/session-cookie.ts';
import { WebClient } from '../../harness/web-client.ts';
import { certificateOf, cookieSecret, password } from '../../harness/webmail-cluster.ts';
import { ApiUser, clusterFor } from './harness.ts';

const vouching = { 'x-waybill-user': 'alice@example.com', 'x-waybill-client': '192.0.2.1', 'x-waybill-session': 'abc', 'x-waybill-epoch': '1' };

test('headers of a front-end count with the certificate of a configured front-end only', async (t) => {
  const cluster = await clusterFor(t);
  const session = `${cluster.backends.be1.url}/api/session`;
  const frontend = new WebClient({ certificate: certificateOf('fe1') });
  await frontend.ask(`${cluster.backends.be1.url}/api/sign-in`, { method: 'POST', headers: vouching });
  const believed = await frontend.ask(session, { headers: vouching });
  assert.deepEqual([believed.status, believed.json['address']], [200, 'alice@example.com']);
  for (const certificate of [undefined, certificateOf('stranger'), certificateOf('be2')]) {
    const client = new WebClient(certificate === undefined ? {} : { certificate });
    const refused = await client.ask(session, { headers: vouching });
    assert.deepEqual([refused.status, refused.kind], [403, 'forbidden']);
  }
});

test('a browser may come directly: signs in, gets a strict cookie, signs out', async (t) => {
  const cluster = await clusterFor(t);
  const { url } = cluster.backends.be1;
  const client = new WebClient();
  assert.equal((await client.ask(`${url}/api/session`)).kind, 'signed-out');
  assert.equal((await client.post(`${url}/api/sign-in`, { name: 'alice@example.com', password: 'wrong' })).kind, 'bad-credentials');
  const answer = await client.post(`${url}/api/sign-in`, { name: 'alice@example.com', password });
  assert.match(answer.headers['set-cookie']?.[0] ?? '', /^__Host-waybill=[\w-]+\.[\w-]+; Path=\/; Max-Age=86400; Secure; HttpOnly; SameSite=Strict$/);
  assert.equal((await client.ask(`${url}/api/session`)).status, 200);
  await client.post(`${url}/api/sign-out`, {});
  assert.equal((await client.ask(`${url}/api/session`)).status, 401);
});

test('an account of another node is answered with 421 and the node, and is not made here', async (t) => {
  const cluster = await clusterFor(t);
  const answer = await new WebClient({ certificate: certificateOf('fe1') }).ask(`${cluster.backends.be1.url}/api/session`, { headers: { ...vouching, 'x-waybill-user': 'bob@example.com' } });
  assert.deepEqual([answer.status, answer.kind, answer.headers['x-waybill-node']], [421, 'not-kept-here', 'be2']);
  assert.deepEqual(cluster.backends.be1.storage.addresses(), []);
});

test('a cookie that is forged, too old, too long idle or of another epoch is no session', async (t) => {
  const cluster = await clusterFor(t);
  const { url } = cluster.backends.be1;
  await ApiUser.signedIn(url, 'alice@example.com');
  const nowMs = Date.now();
  const claims = { address: 'alice@example.com', epoch: 1, session: 's', signedInAtMs: nowMs, seenAtMs: nowMs };
  const status = async (value: string): Promise<number> => (await new WebClient({ cookie: `__Host-waybill=${value}` }).ask(`${url}/api/session`)).status;
  const good = signSession(claims, cookieSecret);
  assert.equal(await status(good), 200);
  assert.equal(await status(signSession(claims, Buffer.alloc(32, 8))), 401);
  const [, signature = ''] = good.split('.');
  assert.equal(await status(`${Buffer.from(JSON.stringify({ ...claims, address: 'carol@example.com' })).toString('base64url')}.${signature}`), 401);
  assert.equal(await status(signSession({ ...claims, seenAtMs: nowMs - 1_200_001 }, cookieSecret)), 401);
  assert.equal(await status(signSession({ ...claims, signedInAtMs: nowMs - 86_400_001 }, cookieSecret)), 401);
  assert.equal(await status(signSession({ ...claims, epoch: 2 }, cookieSecret)), 401);
});

test('a session gets younger when its user does something, not by itself', async (t) => {
  const cluster = await clusterFor(t);
  const { url } = cluster.backends.be1;
  await ApiUser.signedIn(url, 'alice@example.com');
  const seenAtMs = Date.now() - 600_000;
  const cookie = `__Host-waybill=${signSession({ address: 'alice@example.com', epoch: 1, session: 's', signedInAtMs: seenAtMs, seenAtMs }, cookieSecret)}`;
  const background = await new WebClient({ cookie }).ask(`${url}/api/mailboxes`, { headers: { 'waybill-request': 'background' } });
  assert.equal(background.headers['set-cookie'], undefined);
  const active = await new WebClient({ cookie }).ask(`${url}/api/mailboxes`);
  assert.match(active.headers['set-cookie']?.[0] ?? '', /^__Host-waybill=/);
});

test('what another site makes a browser send is refused', async (t) => {
  const cluster = await clusterFor(t);
  const { url } = cluster.backends.be1;
  const { client } = await ApiUser.signedIn(url, 'alice@example.com');
  const { cookie = '' } = client;
  const bare = new WebClient();
  const attempts = [
    { method: 'POST', headers: { cookie, 'waybill-request': '' } },
    { method: 'POST', headers: { cookie, origin: 'https://evil.example' } },
    { method: 'POST', headers: { cookie, 'sec-fetch-site': 'same-site' } },
    { method: 'GET', headers: { cookie, 'sec-fetch-site': 'cross-site' } },
  ] as const;
  for (const attempt of attempts) assert.equal((await bare.ask(`${url}/api/sign-out`, attempt)).kind, 'cross-site');
  assert.equal((await bare.ask(`${url}/api/sign-out`, { method: 'POST', headers: { cookie, origin: url } })).status, 200);
});

test('passwords never reach the log', async (t) => {
  const lines: string[] = [];
  const log = createLog({ node: 'test', level: 'protocol' });
  const spying = new Proxy(log, { get: (target, name) => (name === 'child' ? () => spying : ['info', 'warn', 'error', 'debug'].includes(String(name)) ? (...words: unknown[]) => lines.push(JSON.stringify(words)) : Reflect.get(target, name) as unknown) });
  const cluster = await clusterFor(t, { webmail: { log: spying } });
  const client = new WebClient();
  await client.post(`${cluster.backends.be1.url}/api/sign-in`, { name: 'alice@example.com', password: 'hunter2-wrong' });
  await client.post(`${cluster.backends.be1.url}/api/sign-in`, { name: 'alice@example.com', password });
  assert.ok(lines.some((line) => line.includes('signed in')));
  assert.ok(lines.every((line) => !line.includes('hunter2') && !line.includes(password)), lines.join('\n'));
});
