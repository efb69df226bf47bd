/** Ownership where the nodes ask two real slapds, one of which lags behind: nobody sees an empty or a second mailbox without an alarm. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { isFailure } from '../../../shared/base/failure.ts';
import { startReplicatedDirectory } from '../../harness/lagging-replica.ts';
import type { ReplicatedDirectory } from '../../harness/lagging-replica.ts';
import { people, twoNodes } from './two-nodes.ts';
import type { TwoNodes } from './two-nodes.ts';

let directory: ReplicatedDirectory;
const alice = 'alice@example.com';

before(async () => {
  directory = await startReplicatedDirectory(people);
  await directory.caughtUp('alice', 'be1');
});
after(async () => directory.stop());

/** be1 asks the replica, be2 the provider; the replica has alice on be1 still, the provider on be2. */
async function apart(t: TestContext): Promise<TwoNodes> {
  await directory.setMailHost('alice', 'be1');
  await directory.join();
  await directory.caughtUp('alice', 'be1');
  await directory.cut();
  await directory.setMailHost('alice', 'be2');
  t.after(async () => directory.join());
  return twoNodes(t, { uris: { be1: directory.replica.uri, be2: directory.provider.uri } });
}

function alarms({ logs }: TwoNodes): string[] {
  return (['be1', 'be2'] as const).flatMap((node) => logs[node].filter(({ alert, account }) => alert === 'mail-left-behind' && account === alice).map(() => node));
}

test('two nodes that are each told by their server to be the owner make the account at the very same time: at least one raises the alarm', async (t) => {
  for (let round = 0; round < 5; round += 1) {
    const nodes = await apart(t);
    await Promise.all([nodes.accounts.be1.open(alice, 'smtp'), nodes.accounts.be2.open(alice, 'smtp')]);
    assert.ok(alarms(nodes).length >= 1, `round ${String(round)}: two mailboxes, and nobody has heard of it`);
  }
});

test('one after the other: the second raises the alarm', async (t) => {
  const nodes = await apart(t);
  await nodes.accounts.be2.open(alice, 'smtp');
  assert.deepEqual(alarms(nodes), []);
  await nodes.accounts.be1.open(alice, 'smtp');
  assert.deepEqual(alarms(nodes), ['be1']);
});

test('an account that moved is not made anew where a lagging replica names the old node: who comes there is referred', async (t) => {
  const nodes = await apart(t);
  await nodes.storages.be1.createAccount(alice);
  await nodes.storages.be1.markMoved(alice, 'be2', 2);
  await nodes.storages.be2.createAccount(alice);
  await assert.rejects(nodes.accounts.be1.open(alice, 'smtp'), (error) => isFailure(error, 'not-kept-here') && error.node === 'be2');
  assert.equal((await nodes.accounts.be2.open(alice, 'smtp')).address, alice);
  assert.deepEqual(alarms(nodes), []);
});

test('a node that nobody names any more keeps serving what it has, and a new node whose replica lags sends clients there', async (t) => {
  const nodes = await apart(t);
  await nodes.storages.be1.createAccount(alice);
  await directory.join();
  await directory.caughtUp('alice', 'be2'); // both name be2 now, where nothing is: changed by hand
  assert.equal((await nodes.accounts.be1.open(alice, 'smtp')).address, alice);
  await nodes.accounts.be2.open(alice, 'smtp');
  assert.deepEqual(alarms(nodes), ['be2']);
});
