import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inboxOf, messageOf, openLeg, pieces, TestCluster, until } from './cluster.ts';
import type { KillableNode } from './cluster.ts';

type NodeName = 'be1' | 'be2';

/** What a client sends: to alice, whose node is be1, or to alice and bob, whose node is be2. */
interface Message {
  readonly subject: string;
  readonly to: readonly string[];
}

/** One try of a front-end to bring the message to a node; true when 250 was read for all. Says QUIT then. */
async function tried(port: number, message: Message, manner: { readonly custody: 'yes' | 'no' }): Promise<boolean> {
  try {
    const leg = await openLeg(port, { finalMs: 3000 });
    const extra = new Map(manner.custody === 'yes' ? [['XWAYBILL-CUSTODIAN', true as const]] : []);
    const { sender, recipients } = await leg.envelope({ address: 's@example.net', extra }, message.to.map((address) => ({ address })));
    const isTaken = [sender, ...recipients].every(({ code }) => code === 250) && (await leg.data(pieces(messageOf(message.subject)))).every(({ code }) => code === 250);
    await leg.quit();
    return isTaken;
  } catch {
    return false; // the node was killed under our hands
  }
}

test('nodes are killed again and again while mail comes in and is handed over: every 250 is found afterwards exactly once', { timeout: 180_000 }, async (t) => {
  const cluster = new TestCluster(t);
  const nodes: Record<NodeName, KillableNode> = { be1: await cluster.fork(t, 'be1'), be2: await cluster.fork(t, 'be2') };
  const told: Message[] = [];
  let over = false;
  let retries = 0;

  const client = async (number: number): Promise<void> => {
    for (let count = 0; !over; count += 1) {
      const message: Message = { subject: `${String(number)}-${String(count)}`, to: count % 2 === 0 ? ['alice@example.com'] : ['alice@example.com', 'bob@example.com'] };
      for (let attempt = count; ; attempt += 1) {
        const isOwnerFirst = message.to.length === 1 && attempt === count;
        const node: NodeName = isOwnerFirst || attempt % 2 === 0 ? 'be1' : 'be2';
        if (await tried(nodes[node].ports.lmtp, message, { custody: isOwnerFirst ? 'no' : 'yes' })) break;
        retries += 1;
        await sleep(20);
      }
      told.push(message);
    }
  };
  const killer = async (): Promise<void> => {
    for (const name of ['be1', 'be2', 'be1', 'be2', 'be1', 'be1'] as const) {
      await sleep(150 + Math.random() * 300);
      await nodes[name].kill();
      nodes[name] = await cluster.fork(t, name);
    }
    over = true;
  };
  await Promise.all([killer(), ...[1, 2, 3, 4].map(client)]);
  await Promise.all([nodes.be1.kill(), nodes.be2.kill()]);

  const be1 = await cluster.start(t, 'be1');
  const be2 = await cluster.start(t, 'be2');
  await until('both queues are empty', () => [be1, be2].every(({ processing }) => processing.list({ from: '', limit: 1 }).length === 0), 15_000);
  t.diagnostic(`${String(told.length)} messages, ${String(retries)} tries failed`);
  assert.ok(told.length > 20 && retries > 3, 'the test has seen mail and kills');
  for (const [node, address] of [[be1, 'alice@example.com'], [be2, 'bob@example.com']] as const) {
    const found = (await inboxOf(node, address)).map((message) => /^Subject: (.*)\r$/mu.exec(message)?.[1]).sort();
    const expected = told.filter(({ to }) => to.includes(address)).map(({ subject }) => subject).sort();
    assert.deepEqual(found, expected, address);
  }
});
