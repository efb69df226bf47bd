/** Who may open an account at a back-end: two nodes with real storages, the embedded directory, the real admin API between them. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { askNode } from '../../../shared/admin/admin-client.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { settleAll } from '../../../backend/accounts/settling.ts';
import { eventually, keepingLog, peoplesPassword } from '../../harness/people.ts';
import { certificateOf, twoNodes } from './two-nodes.ts';
import type { NodeName } from './two-nodes.ts';

test('the node that the directory names makes the account on first use, under its canonical address', async (t) => {
  const { accounts, storages } = await twoNodes(t);
  assert.equal((await accounts.be1.open('AL@example.com', 'smtp')).address, 'alice@example.com');
  assert.deepEqual(storages.be1.addresses(), ['alice@example.com']);
});

test('an account may hold what its entry in the directory says, from its first use on, and as it says later', async (t) => {
  const { accounts, storages } = await twoNodes(t);
  assert.equal((await accounts.be1.open('alice@example.com', 'smtp')).quota().messagesLimit, 7);
  await storages.be1.lives.learnLimits('alice@example.com', { messages: 9 });
  await accounts.be1.login({ name: 'alice', password: peoplesPassword, service: 'imap', asker: 'client' });
  assert.equal((await accounts.be1.open('alice@example.com', 'smtp')).quota().messagesLimit, 7);
});

test('what its entry says counts for an account, too, that only front-ends and mail open; it is looked up anew when it has reached its age, not sooner', async (t) => {
  for (const [limitsAgeMs, expected] of [[0, 7], [60_000, 9]] as const) {
    const { accounts, storages } = await twoNodes(t, { limitsAgeMs });
    const account = await accounts.be1.open('alice@example.com', 'smtp');
    await storages.be1.lives.learnLimits('alice@example.com', { messages: 9 });
    await accounts.be1.open('alice@example.com', 'imap');
    const settled = async (): Promise<boolean> => Promise.resolve(account.quota().messagesLimit === 7);
    await (expected === 7 ? eventually(settled) : accounts.be1.lookUp('bob@example.com')); // as long as it would have taken
    assert.equal(account.quota().messagesLimit, expected);
  }
});

test('another node makes nothing and says who keeps the mailbox', async (t) => {
  const { accounts, storages } = await twoNodes(t);
  await assert.rejects(accounts.be2.open('alice@example.com', 'smtp'), (error) => isFailure(error, 'not-kept-here') && error.node === 'be1');
  await assert.rejects(accounts.be1.open('carol@example.com', 'smtp'), (error) => isFailure(error, 'not-kept-here') && error.node === undefined);
  await assert.rejects(accounts.be1.open('nobody@example.com', 'smtp'), (error) => isFailure(error, 'unknown-user'));
  assert.deepEqual(storages.be2.addresses(), []);
});

test('while the directory is away what it said not long ago leads to accounts that exist, and to the other node; none is made', async (t) => {
  const { accounts, storages, stopDirectory } = await twoNodes(t);
  await accounts.be1.open('al@example.com', 'smtp');
  for (const address of ['al@example.com', 'bob@example.com', 'alice@example.com']) await accounts.be1.expand(address);
  await accounts.be2.expand('bob@example.com');
  await stopDirectory();
  assert.equal((await accounts.be1.open('AL@example.com', 'smtp')).address, 'alice@example.com');
  assert.deepEqual(await accounts.be1.expand('Al@example.com'), { kind: 'mailbox' });
  await assert.rejects(accounts.be1.open('bob@example.com', 'smtp'), (error) => isFailure(error, 'not-kept-here') && error.node === 'be2');
  await assert.rejects(accounts.be2.open('bob@example.com', 'smtp'), (error) => isFailure(error, 'directory-unavailable'), 'known to be its own, but it has no mailbox yet');
  for (const address of ['carol@example.com', 'nobody@example.com']) {
    await assert.rejects(accounts.be1.open(address, 'smtp'), (error) => isFailure(error, 'directory-unavailable'));
    await assert.rejects(accounts.be1.expand(address), (error) => isFailure(error, 'directory-unavailable'));
  }
  assert.deepEqual(storages.be2.addresses(), []);
});

test('what the directory said too long ago counts for nothing', async (t) => {
  const { accounts, stopDirectory } = await twoNodes(t, { staleMs: 50 });
  await accounts.be1.open('al@example.com', 'smtp');
  await accounts.be1.expand('al@example.com');
  await stopDirectory();
  await new Promise((resolve) => setTimeout(resolve, 60));
  await assert.rejects(accounts.be1.open('al@example.com', 'smtp'), (error) => isFailure(error, 'directory-unavailable'));
  await assert.rejects(accounts.be1.expand('al@example.com'), (error) => isFailure(error, 'directory-unavailable'));
});

test('mail that another node holds is named in the log when a second mailbox is made', async (t) => {
  const { accounts, storages, logs } = await twoNodes(t);
  await storages.be2.createAccount('alice@example.com');
  await accounts.be1.open('alice@example.com', 'smtp');
  assert.deepEqual(logs.be1.filter(({ alert }) => alert === 'mail-left-behind').map(({ account, holders }) => ({ account, holders })), [{ account: 'alice@example.com', holders: ['be2'] }]);
});

test('a node that does not answer does not keep users out, and that is logged', async (t) => {
  const { accounts, logs, stopAdmin } = await twoNodes(t);
  await stopAdmin.be2();
  await accounts.be1.open('alice@example.com', 'smtp');
  assert.equal(logs.be1.some(({ silent }) => Array.isArray(silent) && silent.includes('be2')), true);
});

test('a live record is owner whatever the directory says; a tombstone refers to the new owner', async (t) => {
  const { accounts, storages } = await twoNodes(t);
  await storages.be2.createAccount('alice@example.com');
  assert.equal((await accounts.be2.open('alice@example.com', 'smtp')).address, 'alice@example.com');
  await storages.be2.markMoved('alice@example.com', 'be1', 2);
  await assert.rejects(accounts.be2.open('alice@example.com', 'smtp'), (error) => isFailure(error, 'not-kept-here') && error.node === 'be1');
});

test('a login needs the right password, and its refusal is the same for unknown users', async (t) => {
  const { accounts } = await twoNodes(t);
  assert.equal((await accounts.be1.login({ name: 'alice', password: peoplesPassword, service: 'imap', asker: 'client' })).address, 'alice@example.com');
  for (const [name, password] of [['alice', 'wrong'], ['alice', ''], ['nobody', peoplesPassword]] as const) {
    await assert.rejects(accounts.be1.login({ name, password, service: 'imap', asker: 'client' }), (error) => isFailure(error, 'bad-credentials') && error.message === 'wrong user name or password');
  }
});

test('only nodes of the cluster are told who keeps which account', async (t) => {
  const { targets } = await twoNodes(t);
  const path = '/accounts/alice%40example.com';
  assert.deepEqual(await askNode(targets.be2, path, 2000), { at: 'none' });
  for (const name of ['fe1', 'stranger']) {
    const { key, certificate: cert, authority: ca } = certificateOf(name);
    await assert.rejects(askNode({ ...targets.be2, tls: { key, cert, ca } }, path, 2000), (error) => isFailure(error, 'backend-unavailable') && String(error.cause).includes('403'));
  }
  await assert.rejects(askNode({ ...targets.be2, tls: { ca: certificateOf('be1').authority } }, path, 2000), (error) => isFailure(error, 'backend-unavailable') && String(error.cause).includes('403'));
});

test('of two nodes whose indexes were both made anew, and that both have mail of an account, the one that the directory names has it in the end', async (t) => {
  const { accounts, storages, askOther } = await twoNodes(t);
  const settleAt = async (node: NodeName): Promise<unknown> => settleAll({ storage: storages[node], accounts: accounts[node], nodeName: node, maps: { covers: () => true }, holders: askOther[node], log: keepingLog().log }, new AbortController().signal);
  for (const node of ['be1', 'be2'] as const) {
    for (const address of ['alice@example.com', 'nobody@example.com']) {
      await storages[node].createAccount(address);
      await storages[node].transfers.leaving.hold(address, { token: 'unsettled', forMs: 3_600_000 });
    }
  }
  for (let round = 0; round < 2; round += 1) await Promise.all([settleAt('be1'), settleAt('be2')]); // the first by name begins
  assert.deepEqual([storages.be1.find('alice@example.com').at, storages.be2.find('alice@example.com')], ['live', { at: 'moved', node: 'be1', epoch: 2 }]);
  assert.deepEqual([storages.be1.care.unsettled(), storages.be2.care.unsettled()], [['nobody@example.com'], ['nobody@example.com']]);
});
