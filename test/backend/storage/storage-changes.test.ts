/** Storages that come and go while workers run: whatever breaks off is gone on with, and nothing that was acknowledged is lost. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { storagesForReport } from '../../../backend/administration/administration.ts';
import { storageListHandlers } from '../../../backend/administration/storage-list-handlers.ts';
import { lockDirectory } from '../../../backend/locked-directory.ts';
import { usualBounds } from '../../../backend/storage/account-bounds.ts';
import { checkStorage, openStorage } from '../../../backend/storage/storage.ts';
import { readStorageList } from '../../../backend/storage/storage-list.ts';
import { closeVolume, openVolume } from '../../../backend/storage/volume.ts';
import { Failure, isFailure } from '../../../shared/base/failure.ts';
import { deliver, mailboxOf, sampleMessage, storageOptions, temporaryDirectory } from './harness.ts';
import { StorageNode, alice, until } from './storage-node.ts';

const away = { kind: 'storage-failure', message: /taken out for the time being/ };

function lockable(directory: string): boolean {
  try {
    lockDirectory(directory, 'refuse')();
    return true;
  } catch (error) {
    assert.ok(isFailure(error, 'in-use'), String(error));
    return false;
  }
}

test('A storage whose taking out broke off after any step is let go by the worker that has the work of the node', async (t) => {
  for (const broken of ['after the note', 'after workers left', 'after new workers'] as const) {
    const node = new StorageNode(t);
    const [first, second] = [await node.start(), await node.start()];
    node.takeOut(new Set());
    await second.storage.createAccount(alice); // in the moment before workers leave
    if (broken !== 'after the note') await first.changes.leave(node.two);
    if (broken === 'after new workers') {
      node.takeOut();
      await node.start();
    }
    assert.ok(!lockable(node.two), 'the node has it still');
    const appointed = broken === 'after new workers' ? node.workers.at(-1) : second;
    const work = appointed?.changes.goOn();
    await until(() => lockable(node.two) && node.renewals === (broken === 'after new workers' ? 0 : 1) && node.workers.length === 3);
    await work?.stop(0);
    for (const { storage } of node.workers) {
      assert.ok(!storage.care.has(node.two), broken);
      assert.throws(() => storage.find(alice), away);
      assert.ok(storage.isTakenOut(alice));
    }
    assert.deepEqual(node.memory.takenOut().map(({ addresses }) => [...addresses]), [[alice]], broken);
    const elsewhere = await openStorage(storageOptions(node.two));
    assert.equal(elsewhere.find(alice).at, 'live');
    await elsewhere.close();
  }
});

test('Workers that note the same storage at the same time all do, and its note is whole', async (t) => {
  const folder = temporaryDirectory(t);
  const noting = [1, 2, 3].map(() => spawn(process.execPath, [join(import.meta.dirname, 'noting-process.ts'), folder, '/two', '100'], { stdio: ['pipe', 'pipe', 'inherit'] }));
  const ends = noting.map((child) => once(child, 'close'));
  await Promise.all(noting.map(async ({ stdout }) => once(stdout, 'data')));
  for (const { stdin } of noting) stdin.end();
  assert.deepEqual(await Promise.all(ends), noting.map(() => [0, null]));
  assert.deepEqual(readStorageList(folder).takenOut, [{ directory: '/two', since: 'then', addresses: new Set(['99@example.com']) }]);
  assert.equal(readdirSync(folder).length, 1, 'no draft is left');
});

test('A storage that is taken in again while it is let go is not: neither workers nor the first process leave it', async (t) => {
  const node = new StorageNode(t);
  const { changes, storage } = await node.start();
  node.takeOut();
  node.memory.takeIn(node.two);
  await changes.leave(node.two);
  await sleep(100);
  assert.ok(storage.care.has(node.two));
  assert.equal((await storage.createAccount(alice)).standing(), 'live');
  assert.deepEqual((await changes.held()).includes(node.two), true);
  assert.ok(!lockable(node.two));
});

test('A storage is told as being taken in till all workers have it, by those that have it already and by those that have not', async (t) => {
  const node = new StorageNode(t);
  await node.start();
  node.takeOut();
  const without = await node.start();
  const told = async ({ storage, changes }: typeof without): Promise<readonly string[]> => {
    const described = await storagesForReport({ storage, memory: node.memory, changes, reserveBytes: 0 });
    return described.map(({ directory, state, reason = '' }) => `${directory} ${state} ${reason}`);
  };
  const [one, two] = [`${node.one} ok `, `${node.two} failed it is being taken in`];
  node.memory.join(node.two);
  assert.deepEqual(await told(without), [one, two]);
  const having = await node.start();
  assert.deepEqual(await told(having), [one, two]);
  node.memory.takeIn(node.two);
  assert.deepEqual(await told(having), [one, `${node.two} ok `]);
});

test('New workers that can not start leave all as it was, and their words are told', async (t) => {
  const node = new StorageNode(t);
  const { changes } = await node.start();
  const free = lockDirectory(join(node.one, '..', 'three'), 'refuse');
  node.memory.takeIn(join(node.one, '..', 'three'));
  await assert.rejects(changes.follow(), { kind: 'in-use' }, 'somebody else has it');
  assert.equal(node.renewals, 0);
  free();
  await assert.rejects(changes.follow(), { kind: 'storage-failure', message: /./ }, 'it is no storage');
  assert.ok(lockable(join(node.one, '..', 'three')), 'what was held for them is not held any more');
});

test('Who works in a storage while it is let go is answered or refused, and all that was answered is there', async (t) => {
  const node = new StorageNode(t);
  const { storage, changes } = await node.start();
  const account = await storage.createAccount(alice);
  const seen = { answered: 0, refused: 0 };
  const work = async (name: string): Promise<void> => {
    for (let turn = 0; seen.refused < 12 && turn < 10_000; turn += 1) {
      try {
        await deliver({ storage, account, mailbox: mailboxOf(account) }, sampleMessage(`${name} ${String(turn)}`, turn % 5 === 0 ? 400_000 : 2000));
        seen.answered += 1;
      } catch (error) {
        assert.ok(isFailure(error, 'storage-failure'), String(error));
        seen.refused += 1;
      }
    }
  };
  const working = ['a', 'b', 'c', 'd'].map(work);
  await until(() => seen.answered > 20);
  node.takeOut();
  await changes.leave(node.two);
  assert.equal(await changes.letGo(node.two), 'let-go');
  await Promise.all(working);
  assert.ok(seen.refused >= 12);
  const back = await openStorage(storageOptions(node.two));
  const record = back.find(alice);
  assert.ok(record.at === 'live');
  assert.equal(mailboxOf(record.account).state().messages, seen.answered);
  const [folder] = back.care.folders();
  assert.ok(folder !== undefined);
  assert.deepEqual((await checkStorage(folder, { report: () => undefined, signal: new AbortController().signal })).findings, []);
  await back.close();
});

test('A folder that can not be left in order, as its disk fails, ends neither the node nor the letting go, and the lock is given back', async (t) => {
  const node = new StorageNode(t);
  const { changes } = await node.start();
  const place = join(node.two, 'holder-none.json');
  mkdirSync(join(place, 'in-the-way'), { recursive: true });
  node.takeOut();
  await changes.leave(node.two);
  assert.equal(await changes.letGo(node.two), 'let-go');
  assert.deepEqual((await changes.held()).includes(node.two), false);
  rmSync(place, { recursive: true });
  assert.ok(lockable(node.two));
});

test('What is taken out is forgotten only when it is let go: nobody would let go of it afterwards', async (t) => {
  const node = new StorageNode(t);
  const { changes, storage } = await node.start();
  const spare = join(node.one, '..', 'three');
  await (await openStorage(storageOptions(spare))).close();
  node.memory.takeIn(spare);
  await changes.follow();
  node.memory.takeOut({ directory: spare, since: 'then', addresses: new Set() });
  const { log, clusterName: cluster, nodeName } = storageOptions(node.one);
  const handlers = storageListHandlers({ storage, memory: node.memory, changes, log, cluster, node: nodeName });
  const forget = async (): Promise<unknown> => handlers.find(({ operation: { name } }) => name === 'detachStorage')?.handle({ params: {}, query: {}, body: { directory: spare, addresses: 'forget' }, reply: { note: () => undefined } } as unknown as Parameters<(typeof handlers)[number]['handle']>[0]);
  await assert.rejects(forget(), { kind: 'bad-input', message: /open still/ });
  assert.deepEqual(node.memory.takenOut().map(({ directory }) => directory), [spare], 'it is remembered');
  await changes.leave(spare);
  assert.equal(await changes.letGo(spare), 'let-go');
  assert.deepEqual(await forget(), { directory: spare, addresses: 0, files: 'let-go' });
  assert.ok(lockable(spare));
});

test('A storage whose packs can not be finished has its index and its packs closed all the same', async (t) => {
  const folder = temporaryDirectory(t);
  const storage = await openStorage(storageOptions(folder));
  const account = await storage.createAccount(alice);
  await deliver({ storage, account, mailbox: mailboxOf(account) }, sampleMessage('one'));
  await storage.close();
  const volume = openVolume(folder, { hints: { publish: () => undefined, subscribe: () => () => undefined }, reserveBytes: 0, limitsOf: () => ({ bytes: 0, messages: 0 }), bounds: usualBounds });
  const [place] = volume.environment.read(() => volume.messages.places());
  assert.ok(place !== undefined);
  const staged = await volume.packs.stage((async function* () { yield await Promise.resolve(Buffer.from('x')); })(), { maxBytes: 10, owner: alice });
  staged.done();
  const failing = { ...volume, packs: { ...volume.packs, close: async (): Promise<void> => Promise.reject(new Failure('storage-failure', 'the disk is gone')) } };
  await assert.rejects(closeVolume(failing), /the disk is gone/);
  assert.throws(() => volume.environment.read(() => 1), /closed/);
  await assert.rejects(volume.packs.close(), { kind: 'storage-failure' }, 'its ledger can not be written');
  await assert.rejects(volume.packs.read(place, 0, 1), { kind: 'storage-failure' }, 'and nothing is read any more');
});
