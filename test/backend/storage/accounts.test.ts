/** Accounts of a node: where they lie, that they can go, what they may use; and to whom a directory belongs. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isFailure } from '../../../shared/base/failure.ts';
import type { FailureKind } from '../../../shared/base/failure.ts';
import { Flag, openStorage } from '../../../backend/storage/storage.ts';
import { lockFolder } from '../../../shared/base/folder-lock.ts';
import { deliver, inPieces, mailboxOf, sampleMessage, storageOptions, temporaryDirectory, temporaryStorage } from './harness.ts';

const failing = (kind: FailureKind, words = /./) => (error: unknown): boolean => isFailure(error, kind) && words.test(error.message);

test('An account is made once, however often and however much at once it is asked for', async (t) => {
  const directories = [temporaryDirectory(t), temporaryDirectory(t), temporaryDirectory(t)];
  const one = await temporaryStorage(t, { directories });
  assert.deepEqual(one.find('alice@example.com'), { at: 'none' });
  const made = await Promise.all([1, 2, 3, 4].map(() => one.createAccount('alice@example.com')));
  assert.equal(new Set(made.map(({ id }) => id)).size, 1);
  assert.deepEqual(one.addresses(), ['alice@example.com']);
  const found = one.find('alice@example.com');
  assert.equal(found.at === 'live' && found.account.epoch, 1);
  const endless = `${'x'.repeat(5000)}@example.com`;
  assert.deepEqual(one.find(endless), { at: 'none' });
  await assert.rejects(one.createAccount(endless), failing('bad-input'));
});

test('Accounts spread over the storages and are found whatever the order of the directories', async (t) => {
  const directories = [temporaryDirectory(t), temporaryDirectory(t)];
  const first = await openStorage(storageOptions('', { directories }));
  const ids = new Map<string, string>();
  for (let user = 0; user < 12; user += 1) ids.set(`u${user}@example.com`, (await first.createAccount(`u${user}@example.com`)).id);
  await first.close();
  const [left, right] = await Promise.all(directories.map(async (directory) => {
    const storage = await openStorage(storageOptions(directory));
    const count = storage.addresses().length;
    await storage.close();
    return count;
  }));
  assert.ok(left && right && left + right === 12);
  const turned = await temporaryStorage(t, { directories: directories.toReversed() });
  for (const [address, id] of ids) {
    const found = turned.find(address);
    assert.equal(found.at === 'live' && found.account.id, id);
    assert.equal((await turned.createAccount(address)).id, id);
  }
});

test('A moved account leaves a tombstone, and whoever has it open can write no more', async (t) => {
  const storage = await temporaryStorage(t);
  const account = await storage.createAccount('alice@example.com');
  const inbox = mailboxOf(account);
  await deliver({ storage, account, mailbox: inbox }, sampleMessage('before'));
  await assert.rejects(storage.markMoved('alice@example.com', 'be2', 1), failing('forbidden'));
  await assert.rejects(storage.markMoved('nobody@example.com', 'be2', 2), failing('unknown-user'));
  await storage.markMoved('alice@example.com', 'be2', 5);
  assert.deepEqual(storage.find('alice@example.com'), { at: 'moved', node: 'be2', epoch: 5 });
  assert.deepEqual(storage.addresses(), []);
  const refused = (error: unknown): boolean => isFailure(error, 'not-kept-here') && error.node === 'be2';
  await assert.rejects(deliver({ storage, account, mailbox: inbox }, sampleMessage('after')), refused);
  await assert.rejects(inbox.changeFlags([1], { mode: 'add', flags: Flag.Seen, keywords: [] }), refused);
  await assert.rejects(account.createMailbox('new'), refused);
});

test('An account that comes back begins afresh with a greater epoch, and the old one stays refused', async (t) => {
  const storage = await temporaryStorage(t);
  const old = await storage.createAccount('alice@example.com');
  await deliver({ storage, account: old, mailbox: mailboxOf(old) }, sampleMessage('left behind'));
  await storage.markMoved('alice@example.com', 'be2', 2);
  const back = await storage.createAccount('alice@example.com');
  assert.equal(back.epoch, 3);
  assert.notEqual(back.id, old.id);
  assert.equal(mailboxOf(back).state().messages, 0);
  assert.deepEqual(back.quota().messages, 0);
  assert.equal(old.mailbox('INBOX'), undefined);
  await assert.rejects(old.createMailbox('x'), failing('not-kept-here'));
  await deliver({ storage, account: back, mailbox: mailboxOf(back) }, sampleMessage('fresh'));
});

test('A quota refuses what would go beyond it, takes no part of it, and lets mail be moved and deleted', async (t) => {
  const size = sampleMessage('x', 1000).length;
  const storage = await temporaryStorage(t, { quota: { bytes: size * 3, messages: 0 } });
  const account = await storage.createAccount('alice@example.com');
  const inbox = mailboxOf(account);
  const send = () => deliver({ storage, account, mailbox: inbox }, sampleMessage('x', 1000));
  const results = await Promise.allSettled([1, 2, 3, 4, 5].map(send));
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 3);
  for (const result of results) if (result.status === 'rejected') assert.ok(isFailure(result.reason, 'over-quota'));
  assert.deepEqual(account.quota(), { bytes: size * 3, messages: 3, bytesLimit: size * 3, messagesLimit: 0 });
  await inbox.moveTo([1], mailboxOf(account, 'Trash'));
  await assert.rejects(inbox.copyTo([2], mailboxOf(account, 'Trash')), failing('over-quota'));
  await mailboxOf(account, 'Trash').expunge([1]);
  await send();
  assert.equal(inbox.state().uidNext, 5, 'refused messages have used no uids');
});

test('Below the reserve of free space mail is refused before a byte is written', async (t) => {
  const directory = temporaryDirectory(t);
  const roomy = await openStorage(storageOptions(directory));
  const account = await roomy.createAccount('alice@example.com');
  const staged = await account.stage(inPieces(sampleMessage('x')), 10_000);
  await staged.discard();
  await roomy.close();
  const tight = await openStorage(storageOptions(directory, { reserveBytes: Number.MAX_SAFE_INTEGER }));
  t.after(() => tight.close());
  const again = await tight.createAccount('alice@example.com');
  await assert.rejects(again.stage(inPieces(sampleMessage('x')), 10_000), failing('storage-full'));
  await assert.rejects(tight.createAccount('bob@example.com'), failing('storage-full'));
});

test('A directory belongs to one node of one cluster, and a newer format is not touched', async (t) => {
  const directory = temporaryDirectory(t);
  await (await openStorage(storageOptions(directory))).close();
  await assert.rejects(openStorage(storageOptions(directory, { clusterName: 'other' })), failing('in-use', /belongs to node be1 of cluster test, not to node be1 of cluster other/));
  await assert.rejects(openStorage(storageOptions(directory, { nodeName: 'be2' })), failing('in-use', /not to node be2/));
  const record = join(directory, 'storage.json');
  writeFileSync(record, readFileSync(record, 'utf8').replace('"format":2', '"format":3'));
  await assert.rejects(openStorage(storageOptions(directory)), failing('storage-failure', /format 3.*up to 2/));
  writeFileSync(record, '{"cluster":');
  await assert.rejects(openStorage(storageOptions(directory)), failing('storage-failure', /damaged/));
});

test('A second supervisor is refused while the first lives, and admitted after it was killed', async (t) => {
  const directory = temporaryDirectory(t);
  const child = fork(join(import.meta.dirname, 'lock-process.ts'), [directory]);
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'message');
  assert.throws(() => lockFolder(directory, 'supervisor.lock'), failing('in-use', /in use by another running program/));
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = lockFolder(directory, 'supervisor.lock');
  assert.throws(() => lockFolder(directory, 'supervisor.lock'), failing('in-use'));
  lock.release();
  lockFolder(directory, 'supervisor.lock').release();
});

test('A domain has storages of its own and limits of its own; an account\'s own limits count before these', async (t) => {
  const directories = [temporaryDirectory(t), temporaryDirectory(t), temporaryDirectory(t)];
  const [first = '', second = ''] = directories;
  const of = (address: string, domain: string): boolean => address.endsWith(`@${domain}`);
  const storage = await temporaryStorage(t, {
    directories, quota: { bytes: 1000, messages: 10 },
    domains: {
      limitsOf: (address) => (of(address, 'b.example') ? { messages: 5 } : {}),
      storagesOf: (address) => (of(address, 'b.example') ? [first, second] : of(address, 'away.example') ? ['/elsewhere'] : undefined),
    },
  });
  for (let user = 0; user < 12; user += 1) await storage.createAccount(`u${String(user)}@b.example`);
  const counts = storage.volumes().map(({ accounts }) => accounts);
  assert.ok((counts[0] ?? 0) > 0 && (counts[1] ?? 0) > 0 && counts[2] === 0, `spread over its two storages only: ${counts.join(' ')}`);
  await assert.rejects(storage.createAccount('u@away.example'), failing('storage-full'));
  const limits = async (address: string): Promise<readonly number[]> => {
    const { bytesLimit, messagesLimit } = (await storage.createAccount(address)).quota();
    return [bytesLimit, messagesLimit];
  };
  assert.deepEqual([await limits('u@a.example'), await limits('u1@b.example')], [[1000, 10], [1000, 5]]);
  await storage.lives.setLimits('u1@b.example', { bytes: 0, messages: 7 });
  assert.deepEqual(await limits('u1@b.example'), [0, 7]);
  await storage.lives.learnLimits('u1@b.example', { messages: 6 });
  assert.deepEqual(await limits('u1@b.example'), [0, 7], 'what the directory says counts after the account\'s own');
  await storage.lives.setLimits('u1@b.example', {});
  assert.deepEqual(await limits('u1@b.example'), [1000, 6], 'and before the domain\'s');
  await storage.lives.learnLimits('u1@b.example', {});
  assert.deepEqual(await limits('u1@b.example'), [1000, 5]);
});
