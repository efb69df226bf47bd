/** The queue changes hands: from the runner of a worker that retires to the one of the next generation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf, startWorld, TestCluster, until } from './cluster.ts';
import { submit } from './submit.ts';

test('the next runner begins when the last delivery of the one before is over: none is made twice, none is forgotten', async (t) => {
  let takeIt: (() => void) | undefined;
  let deliveries = 0;
  const world = await startWorld(t, {
    onData: (stream, _, done) => {
      deliveries += 1;
      stream.resume();
      stream.on('end', () => {
        if (deliveries === 1) takeIt = done;
        else done();
      });
    },
  });
  const route = { domain: '*', host: '127.0.0.1', port: world.port, tls: 'none' } as const;
  const node = await new TestCluster(t).start(t, 'be1', { routes: [route], runner: 'no' });
  const before = node.processing.startRunner();
  await submit(node, messageOf('slow'), { to: ['somebody@example.net'] });
  await until('the message waits for its reply', () => takeIt !== undefined);

  let over = 'no';
  const retiring = before.retire().then(() => {
    over = 'yes';
  });
  await submit(node, messageOf('meanwhile'), { to: ['somebody@example.net'] });
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.deepEqual([over, deliveries], ['no', 1], 'nothing new is begun, and what is under way goes on');
  takeIt?.();
  await retiring;
  assert.equal(deliveries, 1);

  const next = node.processing.startRunner();
  t.after(async () => next.stop(1000));
  await until('the queue is empty', () => node.processing.list({ from: '', limit: 1 }).length === 0);
  assert.equal(deliveries, 2);
});
