/** The splice of a proxied session ends both sides, whenever one of them goes. */
import * as net from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { splice } from '../../../shared/net/splice.ts';

interface Pair {
  /** The end of the far program. */
  readonly outer: net.Socket;
  /** The end that is spliced. */
  readonly inner: net.Socket;
}

async function connectedPair(t: TestContext): Promise<Pair> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const outer = net.connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1');
  const [inner] = (await once(server, 'connection')) as [net.Socket];
  server.close();
  for (const socket of [outer, inner]) {
    socket.on('error', () => undefined);
    t.after(() => socket.destroy());
  }
  return { outer, inner };
}

const options = { idleTimeoutMs: 60_000 };

for (const first of ['client', 'server'] as const) {
  test(`a ${first} that left before the splice leaves no other side open`, { timeout: 5000 }, async (t) => {
    const [client, server] = [await connectedPair(t), await connectedPair(t)];
    const [gone, other] = first === 'client' ? [client, server] : [server, client];
    other.outer.resume();
    gone.inner.destroy();
    await once(gone.inner, 'close');
    await Promise.race([splice(client.inner, server.inner, options), sleep(1000).then(() => assert.fail('the splice goes on'))]);
    assert.ok(other.inner.destroyed);
  });

  test(`the last bytes of a ${first} that closes still arrive`, { timeout: 5000 }, async (t) => {
    const [client, server] = [await connectedPair(t), await connectedPair(t)];
    const [leaving, other] = first === 'client' ? [client, server] : [server, client];
    let received = '';
    other.outer.on('data', (chunk: Buffer) => {
      received += chunk.toString();
    });
    const over = splice(client.inner, server.inner, options);
    leaving.outer.end('goodbye');
    await over;
    if (!other.outer.readableEnded) await once(other.outer, 'end');
    assert.equal(received, 'goodbye');
  });
}
