/** A splice that ends with the server's connection left over: who gets what, on real loopback sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { ReleaseWatch, newLegTerms, parseLegTerms } from '../../../shared/legs/leg-terms.ts';
import type { LegTerms } from '../../../shared/legs/leg-terms.ts';
import { release } from '../../../shared/legs/resting-legs.ts';
import { Connection } from '../../../shared/net/connection.ts';
import { splice } from '../../../shared/net/splice.ts';
import type { SpliceResult } from '../../../shared/net/splice.ts';

async function pair(t: TestContext): Promise<[net.Socket, net.Socket]> {
  const server = net.createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = net.connect({ port: (server.address() as net.AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  const [far] = (await once(server, 'connection')) as [net.Socket];
  server.close();
  for (const socket of [near, far]) socket.on('error', () => undefined);
  t.after(() => {
    near.destroy();
    far.destroy();
  });
  return [near, far];
}

interface Joined {
  readonly client: net.Socket;
  readonly server: net.Socket;
  readonly terms: LegTerms;
  readonly over: Promise<SpliceResult>;
  /** The left-over connections, none or one. */
  readonly kept: net.Socket[];
}

async function join(t: TestContext): Promise<Joined> {
  const [client, near] = await pair(t);
  const [far, server] = await pair(t);
  const terms = parseLegTerms(newLegTerms());
  assert.ok(terms !== undefined);
  const kept: net.Socket[] = [];
  const over = splice(near, far, { idleTimeoutMs: 10_000, release: { watch: new ReleaseWatch(terms), keep: (left) => kept.push(left) } });
  return { client, server, terms, over, kept };
}

async function textUntilEnd(socket: net.Socket): Promise<string> {
  let text = '';
  socket.on('data', (bytes: Buffer) => { text += bytes.toString('latin1'); });
  await once(socket, 'end');
  return text;
}

test('After a release the client gets the end, the connection is left over in working order, and nothing of the client gets there any more.', async (t) => {
  const { client, server, terms, over, kept } = await join(t);
  const heard = textUntilEnd(client);
  let served = '';
  server.on('data', (bytes: Buffer) => { served += bytes.toString('latin1'); });
  client.write('a LOGOUT\r\n');
  while (served === '') await once(server, 'data');
  server.write('* BYE goodbye\r\na OK');
  await once(client, 'data');
  server.write(Buffer.concat([Buffer.from(' done\r\n'), terms.release]));
  assert.equal(await heard, '* BYE goodbye\r\na OK done\r\n');
  client.write('F1 ID NIL\r\n');
  client.end();
  await over;
  const [left] = kept;
  assert.ok(left !== undefined && !left.destroyed);
  left.write('next\r\n');
  while (!served.includes('next')) await once(server, 'data');
  assert.equal(served, 'a LOGOUT\r\nnext\r\n');
  server.write('answer');
  const [answer] = (await once(left.resume(), 'data')) as [Buffer];
  assert.equal(String(answer), 'answer');
  for (const event of ['data', 'drain', 'timeout', 'error'] as const) assert.equal(left.listenerCount(event), event === 'error' ? 1 : 0, `handlers of ${event}`);
});

test('A connection that the client has half closed, or that ended with its session, is not left over.', async (t) => {
  const half = await join(t);
  half.client.end('a LOGOUT\r\n');
  half.server.resume();
  await once(half.server, 'end');
  half.server.write(half.terms.release);
  half.client.resume();
  await half.over;
  assert.deepEqual(half.kept, []);
  const plain = await join(t);
  const heard = textUntilEnd(plain.client);
  plain.server.end(Buffer.concat([Buffer.from('* BYE'), plain.terms.release.subarray(0, 10)]));
  plain.server.resume();
  assert.equal(await heard, '* BYE', 'no byte of a release that was begun');
  plain.client.end();
  await plain.over;
  assert.deepEqual(plain.kept, []);
});

test('Who still holds the connection of a session that was released can neither write to it nor end it.', async (t) => {
  const [peer, socket] = await pair(t);
  const terms = parseLegTerms(newLegTerms());
  assert.ok(terms !== undefined);
  const connection = new Connection(socket, { maxLineBytes: 100, idleTimeoutMs: 1000 });
  const traced: string[] = [];
  connection.watch({ sent: (bytes) => traced.push(bytes.toString('latin1')), received: () => undefined });
  const { closed } = connection;
  let heard = Buffer.alloc(0);
  peer.on('data', (bytes: Buffer) => { heard = Buffer.concat([heard, bytes]); });
  release(connection, 'bye\r\n', terms);
  await closed;
  await connection.write('* 5 EXISTS\r\n');
  connection.end('* BYE late\r\n');
  connection.destroy();
  const next = new Connection(socket, { maxLineBytes: 100, idleTimeoutMs: 1000 });
  await next.write('* OK next\r\n');
  while (!heard.includes('next\r\n')) await once(peer, 'data');
  assert.deepEqual(heard, Buffer.concat([Buffer.from('bye\r\n'), terms.release, Buffer.from('* OK next\r\n')]));
  assert.ok(!socket.destroyed && !socket.writableEnded);
  assert.deepEqual(traced, ['bye\r\n'], 'a protocol trace has no secrets');
});
