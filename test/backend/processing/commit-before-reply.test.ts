import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { messageOf, openLeg, pieces, TestCluster } from './cluster.ts';

const holdMs = 1200;

for (const [what, index, parameters] of [
  ['a message for an account', join('mail', 'index'), []],
  ['a message for the queue', join('queue', 'index'), [['XWAYBILL-CUSTODIAN', true]]],
] as const) {
  test(`${what} is not answered before the index could be written`, async (t) => {
    const cluster = new TestCluster(t);
    const be1 = await cluster.start(t, 'be1', { runner: 'no' });
    const leg = await openLeg(be1.ports.lmtp);
    const begin = async (): Promise<void> => {
      await leg.mail({ address: 's@example.net', extra: new Map(parameters) });
      await leg.rcpt({ address: 'alice@example.com' });
    };
    await begin();
    assert.equal((await leg.data(pieces(messageOf('first'))))[0]?.code, 250, 'the pack is made, which is written in the index, too');
    await begin();
    const holder = fork(join(import.meta.dirname, 'hold-index.ts'), [join(cluster.directory, 'be1', index), String(holdMs)]);
    const gone = once(holder, 'exit');
    await once(holder, 'message');
    const heldSince = performance.now();
    const [reply] = await leg.data(pieces(messageOf('patient')));
    const waitedMs = performance.now() - heldSince;
    assert.equal(reply?.code, 250);
    assert.ok(waitedMs > holdMs * 0.8, `250 after ${waitedMs.toFixed()} ms, while the index was held for ${String(holdMs)}`);
    await leg.quit();
    await gone;
  });
}
