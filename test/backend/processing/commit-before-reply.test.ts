import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SmtpClient } from '../../../shared/smtp/client.ts';
import { holdIndex } from '../../harness/held-index.ts';
import { inboxOf, messageOf, openLeg, pieces, TestCluster, until } from './cluster.ts';

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
    const gone = once(await holdIndex(join(cluster.directory, 'be1', index), holdMs), 'exit');
    const heldSince = performance.now();
    const [reply] = await leg.data(pieces(messageOf('patient')));
    const waitedMs = performance.now() - heldSince;
    assert.equal(reply?.code, 250);
    assert.ok(waitedMs > holdMs * 0.8, `250 after ${waitedMs.toFixed()} ms, while the index was held for ${String(holdMs)}`);
    await leg.quit();
    await gone;
  });
}

test('a client that is cut while its message is stored, and sends it again, has sent it once', async (t) => {
  const cluster = new TestCluster(t);
  const be1 = await cluster.start(t, 'be1', { runner: 'no' });
  const inbox = async (): Promise<number> => (await inboxOf(be1, 'alice@example.com')).filter((message) => message.includes('Subject: cut\r\n')).length;
  const begun = async (): Promise<SmtpClient> => {
    const leg = await openLeg(be1.ports.lmtp);
    await leg.mail({ address: 's@example.net' });
    await leg.rcpt({ address: 'alice@example.com' });
    return leg;
  };
  const first = await begun();
  assert.equal((await first.data(pieces(messageOf('first'))))[0]?.code, 250);
  await first.quit();
  const leg = await begun();
  await holdIndex(join(cluster.directory, 'be1', 'mail', 'index'), 3 * holdMs);
  const lost = assert.rejects(leg.data(pieces(messageOf('cut'))));
  await new Promise((resolve) => setTimeout(resolve, holdMs)); // the whole message is there by then; nobody can see it
  leg.destroy();
  await lost;
  await until('it is stored all the same', async () => await inbox() === 1);
  const again = await begun();
  assert.equal((await again.data(pieces(messageOf('cut'))))[0]?.code, 250);
  await again.quit();
  assert.equal(await inbox(), 1);
});
