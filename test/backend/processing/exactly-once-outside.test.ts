/** The world remembers nothing for us: who is outside gets a message once, though its client was cut and sends it again, by whatever address it is reached. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf, openLeg, pieces, startWorld, TestCluster, until, usualOwners } from './cluster.ts';
import type { World } from './cluster.ts';
import type { TestNode } from './test-node.ts';

const custodian = new Map([['XWAYBILL-CUSTODIAN', true as const]]);

/** A session with one message for these, which ends with QUIT, or is cut at once or after a while. */
async function session(node: TestNode, bytes: Buffer, how: { readonly to: readonly string[]; readonly end: 'quit' | 'cut' | 'cut later' }): Promise<void> {
  const leg = await openLeg(node.ports.lmtp);
  assert.equal((await leg.mail({ address: 's@example.net', extra: custodian })).code, 250);
  for (const address of how.to) assert.equal((await leg.rcpt({ address })).code, 250);
  assert.equal((await leg.data(pieces(bytes)))[0]?.code, 250);
  if (how.end === 'cut later') await new Promise((resolve) => setTimeout(resolve, 1500));
  if (how.end === 'quit') await leg.quit();
  else leg.destroy();
}

function copies(world: World, subject: string, address: string): number {
  return world.taken.filter(({ text, to }) => text.includes(`Subject: ${subject}\r\n`) && to.includes(address)).length;
}

async function isEmpty(node: TestNode): Promise<void> {
  await until('the queue is empty', () => node.processing.list({ from: '', limit: 1 }).length === 0);
}

for (const [way, to, reached] of [
  ['directly', 'x@outside.example', 'x@outside.example'], ['by forwarding', 'forward@example.com', 'y@outside.example'],
  ['as a group\'s member', 'group@example.com', 'z@outside.example'], ['at a mail host of another kind', 'foreign@example.com', 'foreign@example.com'],
] as const) {
  for (const end of ['cut', 'cut later'] as const) {
    test(`reached ${way}, the client ${end}: the retry brings no second copy, and a copy that is meant does`, async (t) => {
      const world = await startWorld(t);
      const node = await new TestCluster(t).start(t, 'be1', {
        routes: [{ domain: '*', host: '127.0.0.1', port: world.port, tls: 'none' }],
        owners: { ...usualOwners, 'foreign@example.com': `127.0.0.1:${String(world.port)}` },
        expansions: { 'forward@example.com': ['y@outside.example'], 'group@example.com': ['z@outside.example', 'alice@example.com'] },
      });
      const bytes = messageOf('once');
      const count = async (): Promise<number> => {
        await isEmpty(node);
        return copies(world, 'once', reached);
      };
      await session(node, bytes, { to: [to], end });
      assert.equal(await count(), 1);
      await session(node, bytes, { to: [to], end: 'quit' });
      assert.equal(await count(), 1);
      await session(node, bytes, { to: [to], end: 'quit' });
      assert.equal(await count(), 2);
    });
  }
}

test('several ways to one person outside are one copy, of a retry, too', async (t) => {
  const world = await startWorld(t);
  const node = await new TestCluster(t).start(t, 'be1', {
    routes: [{ domain: '*', host: '127.0.0.1', port: world.port, tls: 'none' }],
    expansions: { 'one@example.com': ['x@outside.example'], 'two@example.com': ['x@outside.example', 'alice@example.com'] },
  });
  for (const end of ['cut', 'quit'] as const) {
    await session(node, messageOf('many ways'), { to: ['x@outside.example', 'one@example.com', 'two@example.com'], end });
    await isEmpty(node);
    assert.equal(copies(world, 'many ways', 'x@outside.example'), 1);
  }
});
