/** Ownership where the nodes ask two real slapds, one of which lags behind: nobody sees an empty or a second mailbox without an alarm. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { hearAll, settleAll } from '../../../backend/accounts/settling.ts';
import type { SettlingOptions } from '../../../backend/accounts/settling.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { startReplicatedDirectory } from '../../harness/lagging-replica.ts';
import type { ReplicatedDirectory } from '../../harness/lagging-replica.ts';
import { keepingLog } from '../../harness/people.ts';
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

/** Both have mail of her, and have lost their indexes: neither knows whose she is. */
async function bothUnsettled(t: TestContext): Promise<TwoNodes & { readonly settleAt: (node: 'be1' | 'be2', holders?: SettlingOptions['holders']) => Promise<readonly Record<string, unknown>[]> }> {
  const nodes = await apart(t);
  const { accounts, storages, askOther } = nodes;
  for (const node of ['be1', 'be2'] as const) {
    await storages[node].createAccount(alice);
    await storages[node].transfers.leaving.hold(alice, { token: 'unsettled', forMs: 3_600_000 });
  }
  return {
    ...nodes,
    settleAt: async (node, holders = askOther[node]) => {
      const { log, lines } = keepingLog();
      const { signal } = new AbortController();
      const options: SettlingOptions = { storage: storages[node], accounts: accounts[node], nodeName: node, maps: { covers: () => true }, holders, log };
      await hearAll(options, signal);
      await settleAll(options, signal);
      return lines;
    },
  };
}

test('two nodes that both have an account, and are told different owners, hold it and say why, until they are told the same', async (t) => {
  const { storages, settleAt } = await bothUnsettled(t);
  for (let round = 0; round < 3; round += 1) {
    const said = (await Promise.all([settleAt('be1'), settleAt('be2')])).flat();
    assert.equal(said.filter(({ why }) => String(why).includes('held until all are told the same')).length, 2, JSON.stringify(said));
  }
  assert.deepEqual([storages.be1.care.unsettled(), storages.be2.care.unsettled()], [[alice], [alice]]);
  await directory.join();
  await directory.caughtUp('alice', 'be2');
  for (let round = 0; round < 2; round += 1) await Promise.all([settleAt('be1'), settleAt('be2')]);
  assert.deepEqual([storages.be1.find(alice), storages.be2.find(alice).at], [{ at: 'moved', node: 'be2', epoch: 2 }, 'live']);
  assert.deepEqual([storages.be1.care.unsettled(), storages.be2.care.unsettled()], [[], []]);
});

test('two nodes that are cut off from each other, and told different owners, raise the alarm as soon as they hear of each other', async (t) => {
  const { storages, askOther, settleAt } = await bothUnsettled(t);
  const silent = (node: string): SettlingOptions['holders'] => async () => Promise.resolve({ holders: [], unsettled: [], named: new Map(), away: [], silent: [node] });
  await settleAt('be1', silent('be2'));
  await settleAt('be2', silent('be1'));
  assert.deepEqual([storages.be1.find(alice).at, storages.be2.find(alice).at], ['live', 'live'], 'mail is not held up by a node that is away');
  const alarm = (lines: readonly Record<string, unknown>[]): unknown[] => lines.filter(({ alert }) => alert === 'two-owners').map(({ account, nodes }) => [account, nodes]);
  assert.deepEqual(alarm(await settleAt('be1', silent('be2'))), []);
  assert.deepEqual(alarm(await settleAt('be1', askOther.be1)), [[alice, ['be2']]]);
  assert.deepEqual(alarm(await settleAt('be2', askOther.be2)), [[alice, ['be1']]]);
  await storages.be1.markMoved(alice, 'be2', 2);
  assert.deepEqual(alarm(await settleAt('be2', askOther.be2)), []);
  assert.deepEqual(storages.be2.care.unheard(), [], 'it is over');
});
