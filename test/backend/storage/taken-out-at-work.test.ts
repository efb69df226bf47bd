/** A storage is taken out while something works in it: that is waited for, or ends with a clear word, and nothing of the mail suffers. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { checkStorage, compactStorage, openStorage } from '../../../backend/storage/storage.ts';
import type { Account, KeptFolder, Storage } from '../../../backend/storage/storage.ts';
import { lockWriter } from '../../../backend/text-index/writer-lock.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { deliver, mailboxOf, sampleMessage, storageOptions } from './harness.ts';
import { enterLot } from './lot.ts';
import { StorageNode, alice, command, until } from './storage-node.ts';

const quiet = { report: () => undefined, signal: new AbortController().signal };

interface Filled {
  readonly node: StorageNode;
  readonly storage: Storage;
  readonly account: Account;
  readonly folder: KeptFolder;
}

/** Alice has messages 1 to 5 of 20 in a pack that nobody writes any more. */
async function filled(t: TestContext): Promise<Filled> {
  const node = new StorageNode(t);
  const writer = await openStorage(storageOptions(node.two));
  const written = await writer.createAccount(alice);
  for (let number = 1; number <= 20; number += 1) await deliver({ storage: writer, account: written, mailbox: mailboxOf(written) }, sampleMessage(`m${String(number)}`, 4000));
  await mailboxOf(written).expunge(Array.from({ length: 15 }, (_, index) => 6 + index));
  await writer.close();
  const { storage } = await node.start();
  const [record, folder] = [storage.find(alice), storage.care.folders().find(({ directory }) => directory === node.two)];
  assert.ok(record.at === 'live' && folder !== undefined);
  return { node, storage, account: record.account, folder };
}

/** It may have come to its end before. */
const clearly = /is closed: it is taken out|taken out for the time being/;

/** The step begins when the account can no more be had, once. */
async function onceAway(account: Account, step: () => Promise<unknown>): Promise<unknown> {
  await until(() => account.standing() === 'away');
  return step();
}

/** Begins the work, and answers when it is under way. Its promise is of what comes of it. */
const works: Readonly<Record<string, (filled: Filled) => Promise<{ readonly ended: Promise<unknown>; readonly end: 'done' | 'refused' | 'either' }>>> = {
  'a compaction': async ({ folder }) => {
    const begun = Promise.withResolvers<undefined>();
    const ended = compactStorage(folder, { ...quiet, report: () => begun.resolve(undefined), deadPercent: 50, bytesPerSecond: 4000 });
    await Promise.race([begun.promise, ended]);
    return { ended, end: 'either' };
  },
  'a check': async ({ folder }) => Promise.resolve({ ended: checkStorage(folder, quiet), end: 'either' }),
  'a repair': async ({ storage, node }) => Promise.resolve({ ended: storage.care.repair(node.two, { ...quiet, lost: 'keep' }), end: 'either' }),
  'a backup': async ({ folder, node }) => Promise.resolve({ ended: folder.environment.copyTo(join(node.one, '..', 'copy')), end: 'done' }),
  'a COPY in lots': async ({ account, storage }) => {
    const lots = mailboxOf(account, 'Sent').lots();
    await enterLot({ storage, address: alice }, lots, ['one']);
    return { ended: onceAway(account, async () => lots.show()), end: 'either' };
  },
  'a MOVE of all messages': async ({ account }) => Promise.resolve({ ended: mailboxOf(account).moveTo([1, 2, 3, 4, 5], mailboxOf(account, 'Trash')), end: 'either' }),
  'a move of the account': async ({ storage, account }) => {
    await storage.transfers.leaving.hold(alice, { token: 'be2/1', forMs: 500 });
    return { ended: onceAway(account, async () => storage.transfers.leaving.seal(alice, { token: 'be2/1', node: 'be2', epoch: account.epoch + 1 })), end: 'refused' };
  },
};

for (const [name, begin] of Object.entries(works)) {
  test(`${name}, while the storage is taken out, is waited for or ends with a clear word, and the storage is whole when it is back`, async (t) => {
    const all = await filled(t);
    const { node } = all;
    const { ended, end } = await begin(all);
    const outcome = ended.then(() => 'done' as const, (error: unknown) => error);
    assert.deepEqual(await command(node, node.workers[0] as (typeof node.workers)[number], ['detachStorage', { directory: node.two, addresses: 'keep' }]), { directory: node.two, addresses: 1, files: 'let-go' });
    const came = await outcome;
    if (came !== 'done') assert.ok(isFailure(came, 'storage-failure') && clearly.test(came.message), String(came));
    if (end !== 'either') assert.equal(came === 'done' ? 'done' : 'refused', end);
    const newest = node.workers.at(-1);
    assert.ok(newest !== undefined);
    await command(node, newest, ['attachStorage', { directory: node.two }]);
    const { storage } = node.workers.at(-1) ?? newest;
    const record = storage.find(alice);
    assert.ok(record.at === 'live');
    assert.deepEqual(['INBOX', 'Trash'].reduce((sum, mailbox) => sum + mailboxOf(record.account, mailbox).state().messages, 0), 5);
    const folder = storage.care.folders().find(({ directory }) => directory === node.two);
    assert.ok(folder !== undefined);
    assert.deepEqual((await checkStorage(folder, quiet)).findings, []);
  });
}

test('the files of a storage are let go only when the indexer has ended, which is no worker of the node', async (t) => {
  const { node, storage } = await filled(t);
  const unlock = lockWriter(node.two);
  assert.ok(unlock !== undefined);
  const detaching = command(node, node.workers[0] as (typeof node.workers)[number], ['detachStorage', { directory: node.two, addresses: 'keep' }]);
  await until(() => !storage.care.has(node.two));
  const before = node.questions;
  await until(() => node.questions >= before + 3); // it is tried again and again
  assert.ok((await node.workers[0]?.changes.held())?.includes(node.two));
  unlock();
  assert.deepEqual(await detaching, { directory: node.two, addresses: 1, files: 'let-go' });
});
