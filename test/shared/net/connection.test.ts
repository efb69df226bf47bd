/** Connection and splice on real loopback sockets. */
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import * as net from 'node:net';
import * as zlib from 'node:zlib';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFailure } from '../../../shared/base/failure.ts';
import { compress } from '../../../shared/net/compression.ts';
import { Connection } from '../../../shared/net/connection.ts';
import { connectTo } from '../../../shared/net/connect.ts';
import { splice } from '../../../shared/net/splice.ts';

/** Two ends of one TCP connection. */
async function pair(t: TestContext): Promise<[net.Socket, net.Socket]> {
  const server = net.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const near = net.connect(port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [net.Socket];
  server.close();
  t.after(() => {
    near.destroy();
    far.destroy();
  });
  near.on('error', () => undefined);
  return [near, far];
}

const limits = { maxLineBytes: 100, idleTimeoutMs: 0 };

test('lines come whole however the bytes are cut, with CRLF or a lone LF', async (t) => {
  const [peer, socket] = await pair(t);
  const connection = new Connection(socket, limits);
  const bytes = Buffer.from('first\r\nsecond\n\r\nläst\r\nunfinished', 'latin1');
  for (const byte of bytes) {
    peer.write(Buffer.of(byte));
    await sleep(1);
  }
  peer.end();
  assert.deepEqual([await connection.readLine(), await connection.readLine(), await connection.readLine(), await connection.readLine()], ['first', 'second', '', 'läst']);
  assert.equal(await connection.readLine(), undefined);
});

test('a line over the limit is refused, whether its end has come or not', async (t) => {
  for (const text of ['x'.repeat(101), `${'x'.repeat(101)}\r\n`]) {
    const [peer, socket] = await pair(t);
    const connection = new Connection(socket, limits);
    peer.write(text);
    await assert.rejects(connection.readLine(), (error) => isFailure(error, 'bad-input'));
  }
});

test('counted bytes and streams take exactly what was asked and leave the rest', async (t) => {
  const [peer, socket] = await pair(t);
  const connection = new Connection(socket, limits);
  peer.write(`abc${'d'.repeat(500_000)}tail\r\n`);
  assert.equal((await connection.readBytes(3)).toString(), 'abc');
  let length = 0;
  for await (const piece of connection.readStream(500_000)) length += piece.length;
  assert.equal(length, 500_000);
  assert.equal(await connection.readLine(), 'tail');
});

test('more bytes may be asked for than are held while nobody reads', { timeout: 60_000 }, async (t) => {
  const [peer, socket] = await pair(t);
  const connection = new Connection(socket, limits);
  peer.write(Buffer.alloc(600_000, 'x'));
  await sleep(100);
  assert.equal((await connection.readBytes(600_000)).length, 600_000);
});

test('a stream that ends inside counted bytes is bad input, not a hang', async (t) => {
  const [peer, socket] = await pair(t);
  const connection = new Connection(socket, limits);
  peer.end('ab');
  await assert.rejects(connection.readBytes(3), (error) => isFailure(error, 'bad-input'));
});

test('a silent peer times out the pending read', async (t) => {
  const [, socket] = await pair(t);
  const connection = new Connection(socket, { ...limits, idleTimeoutMs: 50 });
  await assert.rejects(connection.readLine(), (error) => isFailure(error, 'timed-out'));
});

test('a peer that never reads stops the writer instead of filling memory', async (t) => {
  const [peer, socket] = await pair(t);
  peer.pause();
  const connection = new Connection(socket, limits);
  const block = Buffer.alloc(1024 * 1024);
  let written = 0;
  const writing = (async () => {
    while (written < 64) {
      await connection.write(block);
      written += 1;
    }
  })();
  await sleep(200);
  assert.ok(written < 64, `${String(written)} MB were taken`);
  peer.resume();
  await writing;
});

test('a refused connection is backend-unavailable', async (t) => {
  const [peer] = await pair(t);
  const gone = peer.localPort ?? 1;
  peer.destroy();
  await assert.rejects(connectTo({ host: '127.0.0.1', port: gone, timeoutMs: 1000 }), (error) => isFailure(error, 'backend-unavailable'));
});

test('spliced sockets deliver all that one side had sent before it closed', async (t) => {
  const [client, nearSide] = await pair(t);
  const [farSide, server] = await pair(t);
  const joined = splice(nearSide, farSide, { idleTimeoutMs: 10_000 });
  const payload = Buffer.alloc(8 * 1024 * 1024, 'z');
  server.end(payload);
  server.resume();
  let received = 0;
  await sleep(100); // the reader is slow to begin
  client.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  await once(client, 'end');
  client.destroy();
  assert.equal(received, payload.length);
  assert.equal((await joined).bytesToClient, payload.length);
});

for (const first of ['client', 'server'] as const) {
  test(`a ${first} that left before the splice leaves no other side open`, { timeout: 60_000 }, async (t) => {
    const [client, nearSide] = await pair(t);
    const [server, farSide] = await pair(t);
    const [gone, other] = first === 'client' ? [nearSide, farSide] : [farSide, nearSide];
    for (const outer of [client, server]) outer.resume();
    gone.destroy();
    await once(gone, 'close');
    await Promise.race([splice(nearSide, farSide, { idleTimeoutMs: 60_000 }), sleep(1000).then(() => assert.fail('the splice goes on'))]);
    assert.ok(other.destroyed);
  });
}

test('spliced sockets take no more from one side than the other reads, and go on when it does', async (t) => {
  const [client, nearSide] = await pair(t);
  const [farSide, server] = await pair(t);
  const joined = splice(nearSide, farSide, { idleTimeoutMs: 10_000 });
  const payload = Buffer.alloc(64 * 1024 * 1024);
  client.pause();
  server.end(payload);
  server.resume();
  await sleep(300);
  assert.ok(nearSide.writableLength < 1024 * 1024, `${String(nearSide.writableLength)} bytes wait in memory`);
  let received = 0;
  client.on('data', (chunk: Buffer) => { received += chunk.length; });
  client.resume();
  await once(client, 'end');
  client.destroy();
  await joined;
  assert.equal(received, payload.length);
});

test('spliced sockets that are silent for too long are cut, those where one side talks are not', { timeout: 60_000 }, async (t) => {
  const [client, nearSide] = await pair(t);
  const [farSide, server] = await pair(t);
  for (const outer of [client, server]) outer.resume();
  let over = false;
  const joined = splice(nearSide, farSide, { idleTimeoutMs: 600 }).then(() => { over = true; });
  for (let turn = 0; turn < 10; turn += 1) {
    server.write('*');
    await sleep(100);
  }
  assert.equal(over, false);
  await joined;
});

test('what compressed bytes unfold to is held back while nobody reads it, and nothing of it is lost', async (t) => {
  const [peer, socket] = await pair(t);
  const connection = new Connection(socket, limits);
  connection.startCompression();
  const lines = 100_000;
  peer.write(zlib.deflateRawSync('0123456789ABCDEF\r\n'.repeat(lines), { finishFlush: zlib.constants.Z_SYNC_FLUSH }));
  while (connection.bufferedBytes < 256 * 1024) await sleep(1);
  for (let look = 0; look < 50; look += 1) {
    await sleep(1);
    assert.ok(connection.bufferedBytes < 400 * 1024, `${String(connection.bufferedBytes)} bytes are held`);
  }
  for (let line = 0; line < lines; line += 1) assert.equal(await connection.readLine(), '0123456789ABCDEF');
  peer.end();
  assert.equal(await connection.readLine(), undefined);
});

test('who writes compressed waits for a peer that does not read, and no longer than the peer is there', async (t) => {
  const [peer, socket] = await pair(t);
  peer.pause();
  const connection = new Connection(socket, limits);
  connection.startCompression();
  let written = 0;
  const writing = (async () => {
    for (; written < 10_000 && !socket.destroyed; written += 1) await connection.write(randomBytes(64 * 1024));
  })();
  while (socket.writableLength === 0) await sleep(1);
  peer.destroy();
  await writing;
  assert.ok(written < 1000, `${String(written)} pieces were taken`);
  await connection.closed;
});

test('after a rest another compressor goes on, and the peer sees one stream', { timeout: 60_000 }, async (t) => {
  const [peer, socket] = await pair(t);
  const { sink } = compress(socket, Buffer.alloc(0), 30);
  const source = zlib.createInflateRaw();
  let folded = 0;
  let unfolded = '';
  peer.on('data', (bytes: Buffer) => (folded += bytes.length));
  peer.pipe(source);
  source.on('data', (bytes: Buffer) => (unfolded += bytes.toString()));
  const text = randomBytes(3000).toString('hex');
  const sizes: number[] = [];
  const say = async (): Promise<void> => {
    const [before, heard] = [folded, unfolded.length];
    sink.write(text);
    while (unfolded.length < heard + text.length) await sleep(1);
    sizes.push(folded - before);
  };
  do await say();
  while ((sizes.at(-1) ?? 0) > (sizes[0] ?? 0) / 5); // it looks back, unless this machine took its time
  do {
    await sleep(60);
    await say();
  } while ((sizes.at(-1) ?? 0) < (sizes[0] ?? 0) / 2);
  sink.end();
  await once(source, 'end');
  assert.equal(unfolded, text.repeat(sizes.length));
});
