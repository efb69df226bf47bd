/** Reads into memory that is used again: nothing that is read may change before it has left, whoever is slow. On real loopback sockets, with and without TLS to the client. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as net from 'node:net';
import { after, test } from 'node:test';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import * as tls from 'node:tls';
import { connectTo } from '../../../shared/net/connect.ts';
import { Connection } from '../../../shared/net/connection.ts';
import type { AnySocket } from '../../../shared/net/connection.ts';
import { readBytes } from '../../../shared/net/reused-reads.ts';
import { splice } from '../../../shared/net/splice.ts';
import { makeCertificates } from '../../harness/certificates.ts';

const { node } = await makeCertificates({ node: 'frontend' });
assert.ok(node !== undefined);
const { certificate: cert, key, authority: ca } = node;
const servers: net.Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

async function listening(server: net.Server): Promise<number> {
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

/** A back-end that says hello and obeys `serve`; a proxy that reads the hello by lines and splices; where clients find it. */
async function proxyTo(serve: (socket: net.Socket) => void, leg: 'plain' | 'tls'): Promise<number> {
  const port = await listening(net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.write('hello\r\n');
    serve(socket);
  }));
  const forward = async (near: AnySocket): Promise<void> => {
    near.on('error', () => undefined);
    const backend = new Connection(await connectTo({ host: '127.0.0.1', port, timeoutMs: 10_000, reads: 'reused' }), { maxLineBytes: 100, idleTimeoutMs: 10_000 });
    assert.equal(await backend.readLine(), 'hello');
    const { socket: far, pending } = backend.detach();
    near.write(pending);
    await splice(near, far, { idleTimeoutMs: 60_000 });
  };
  return listening(leg === 'plain' ? net.createServer({ allowHalfOpen: true }, (near) => void forward(near)) : tls.createServer({ cert, key, allowHalfOpen: true }, (near) => void forward(near)));
}

async function clientOf(port: number, leg: 'plain' | 'tls'): Promise<AnySocket> {
  const client = leg === 'plain' ? net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }) : tls.connect({ socket: net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }), host: '127.0.0.1', ca });
  await once(client, leg === 'plain' ? 'connect' : 'secureConnect');
  return client;
}

/** Numbers that repeat after 4 MB only, and begin elsewhere for everybody: one foreign or stale byte shows in the digest. */
function blocksOf(seed: number, count: number): readonly Buffer[] {
  return Array.from({ length: count }, (_, index) => {
    const block = new Uint32Array(readBytes / 2);
    for (let at = 0; at < block.length; at += 1) block[at] = Math.imul(seed * 7919 + (index % 32) * block.length + at, 2_654_435_761);
    return Buffer.from(block.buffer);
  });
}

async function nextTurn(): Promise<void> {
  await setImmediate();
}

async function digestOf(client: AnySocket, stall: (bytes: number) => Promise<void>): Promise<string> {
  const hash = createHash('sha1');
  for await (const bytes of client as AsyncIterable<Buffer>) {
    hash.update(bytes);
    await stall(bytes.length);
  }
  return hash.digest('hex');
}

for (const leg of ['plain', 'tls'] as const) {
  test(`Eight clients (${leg}) get what is theirs, byte for byte, while some stall and others don't.`, async () => {
    const blocks = Array.from({ length: 8 }, (_, index) => blocksOf(index, 48));
    const port = await proxyTo((socket) => {
      socket.once('data', (asked: Buffer) => {
        const own = blocks[Number(asked.toString())] ?? [];
        void (async () => {
          for (const block of own) if (!socket.write(block)) await once(socket, 'drain');
          socket.end();
        })();
      });
    }, leg);
    await Promise.all(blocks.map(async (own, index) => {
      const client = await clientOf(port, leg);
      client.write(String(index));
      let turn = index;
      const digest = await digestOf(client, async () => {
        turn += 1;
        if (index % 2 === 1 && turn % (5 + index) === 0) await sleep(turn % 4);
        else await nextTurn();
      });
      const expected = createHash('sha1');
      for (const block of own) expected.update(block);
      assert.equal(digest, expected.digest('hex'), `client ${String(index)}`);
    }));
  });

  test(`What waits for a client (${leg}) that takes nothing stays as it was while others are served, and its server is held back.`, async () => {
    // More than the system holds for a connection between the server and the proxy, of which the proxy reads a part: 32 MB are common.
    const wholes = { blocks: Buffer.concat(blocksOf(1, 400)), pieces: Buffer.concat(blocksOf(3, 400)), small: Buffer.concat(blocksOf(2, 20)) };
    const sent = { blocks: 0, pieces: 0, small: 0 };
    const port = await proxyTo((socket) => {
      socket.once('data', (asked: Buffer) => {
        const kind = asked.toString() as keyof typeof wholes;
        const size = kind === 'pieces' ? 9000 : 2 * readBytes;
        void (async () => {
          for (let at = 0; at < wholes[kind].length; at += size) {
            sent[kind] = at;
            if (!socket.write(wholes[kind].subarray(at, at + size))) await once(socket, 'drain');
            await nextTurn(); // so that pieces are read one by one
          }
          socket.end();
        })();
      });
    }, leg);
    const digest = (kind: keyof typeof wholes): string => createHash('sha1').update(wholes[kind]).digest('hex');
    const slow = await Promise.all((['blocks', 'pieces'] as const).map(async (kind) => ({ kind, client: (await clientOf(port, leg)).pause() })));
    for (const { kind, client } of slow) client.write(kind);
    for (let before = -1; before < sent.blocks + sent.pieces || sent.blocks * sent.pieces === 0; await sleep(50)) before = sent.blocks + sent.pieces;
    for (const { kind } of slow) assert.ok(sent[kind] + 2 * readBytes < wholes[kind].length, 'the server is held back');
    for (let round = 0; round < 3; round += 1) {
      const other = await clientOf(port, leg);
      other.write('small');
      assert.equal(await digestOf(other, nextTurn), digest('small'));
    }
    for (const { kind, client } of slow) assert.equal(await digestOf(client, nextTurn), digest(kind), kind);
  });

  test(`Questions and answers (${leg}) of every size around that of a read arrive whole, and the end of either side is passed on.`, async () => {
    const port = await proxyTo((socket) => {
      socket.on('data', (asked: Buffer) => socket.write(Buffer.alloc(Number(asked.toString()), asked)));
      socket.on('end', () => socket.end('bye'));
    }, leg);
    const client = await clientOf(port, leg);
    let got = Buffer.alloc(0);
    client.on('data', (bytes: Buffer) => { got = Buffer.concat([got, bytes]); });
    for (const size of [1, 100, readBytes - 1, readBytes, 1, readBytes + 1, 2 * readBytes, 3, 3 * readBytes - 1, readBytes]) {
      got = Buffer.alloc(0);
      client.write(String(size));
      while (got.length < size) await once(client, 'data');
      assert.ok(got.equals(Buffer.alloc(size, String(size))), `answer of ${String(size)} bytes`);
    }
    got = Buffer.alloc(0);
    client.end();
    await once(client, 'end');
    assert.equal(String(got), 'bye');
  });
}

test('A server that breaks off ends its client, and a client that breaks off ends its server, in the middle of something large.', async () => {
  const gone: Promise<unknown>[] = [];
  const port = await proxyTo((socket) => {
    gone.push(new Promise((resolve) => { socket.on('close', resolve); }));
    socket.once('data', (asked: Buffer) => {
      const flood = (): void => {
        while (socket.write(Buffer.alloc(readBytes)));
      };
      socket.on('drain', flood);
      flood();
      if (asked.toString() === 'break') setTimeout(() => socket.resetAndDestroy(), 20);
    });
  }, 'plain');
  const left = await clientOf(port, 'plain');
  left.on('error', () => undefined);
  left.write('break');
  left.resume();
  await new Promise((resolve) => { left.on('end', resolve).on('close', resolve); });
  left.destroy();
  const leaving = await clientOf(port, 'plain');
  leaving.write('go on');
  await once(leaving, 'data');
  leaving.destroy();
  await Promise.all(gone);
});
