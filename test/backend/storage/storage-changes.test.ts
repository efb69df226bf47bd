/** Storages that come and go while workers run: whatever breaks off is gone on with, and nothing that was acknowledged is lost. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkerStorageChanges } from '../../../backend/administration/administration.ts';
import { HeldDirectories } from '../../../backend/held-directories.ts';
import { lockDirectory } from '../../../backend/locked-directory.ts';
import { storageDirectoriesOf, storageMemory } from '../../../backend/storage-directories.ts';
import { checkStorage, openStorage } from '../../../backend/storage/storage.ts';
import type { Storage } from '../../../backend/storage/storage.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { WorkerNode } from '../../harness/worker-node.ts';
import { deliver, mailboxOf, sampleMessage, storageOptions, temporaryDirectory } from './harness.ts';

const away = { kind: 'storage-failure', message: /taken out for the time being/ };
const alice = 'alice@example.com';

interface Worker {
  readonly storage: Storage;
  readonly changes: WorkerStorageChanges;
}

/** One node: its first process, and workers of several generations, all in this process. Alice lies in `two`. */
class Node {
  readonly one: string;
  readonly two: string;
  readonly memory: ReturnType<typeof storageMemory>;
  readonly held: HeldDirectories;
  readonly workers: Worker[] = [];
  renewals = 0;
  readonly #places: ConstructorParameters<typeof HeldDirectories>[0];
  readonly #bus: WorkerNode;
  readonly #t: TestContext;

  constructor(t: TestContext) {
    const folder = temporaryDirectory(t);
    [this.one, this.two] = [join(folder, 'one'), join(folder, 'two')];
    for (const directory of [this.one, this.two]) mkdirSync(directory);
    this.#t = t;
    this.#places = { nodeName: 'be1', storage: { directories: [this.one, this.two] }, services: { processing: { queueDirectory: join(folder, 'queue') } } };
    this.memory = storageMemory(this.#places);
    this.held = new HeldDirectories(this.#places, 'refuse');
    t.after(() => this.held.release());
    this.#bus = new WorkerNode((work) => setImmediate(work), this.held.desk(async () => {
      this.renewals += 1;
      await this.start();
    }));
  }

  /** One more worker, with the storages of now. */
  async start(): Promise<Worker> {
    const { open, attached, takenOut } = storageDirectoriesOf(this.#places);
    const storage = await openStorage(storageOptions(this.one, { directories: open, attached, takenOut, domains: { limitsOf: () => ({}), storagesOf: () => [this.two] } }));
    this.#t.after(async () => storage.close());
    const changes = new WorkerStorageChanges({ storage, memory: this.memory, siblings: this.#bus.worker().siblings, log: storageOptions(this.one).log, onLetGo: () => undefined, lastCommandsMs: 20 });
    const worker = { storage, changes };
    this.workers.push(worker);
    return worker;
  }

  async takeOut(addresses = new Set([alice])): Promise<void> {
    await this.memory.takeOut({ directory: this.two, since: 'then', addresses });
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (const deadlineMs = performance.now() + 20_000; !condition();) {
    assert.ok(performance.now() < deadlineMs, condition.toString());
    await sleep(10);
  }
}

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
    const node = new Node(t);
    const [first, second] = [await node.start(), await node.start()];
    await node.takeOut(new Set());
    await second.storage.createAccount(alice); // in the moment before workers leave
    if (broken !== 'after the note') await first.changes.leave(node.two);
    if (broken === 'after new workers') {
      await node.takeOut();
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

test('A storage that is taken in again while it is let go is not: neither workers nor the first process leave it', async (t) => {
  const node = new Node(t);
  const { changes, storage } = await node.start();
  await node.takeOut();
  await node.memory.takeIn(node.two);
  await changes.leave(node.two);
  await sleep(100);
  assert.ok(storage.care.has(node.two));
  assert.equal((await storage.createAccount(alice)).standing(), 'live');
  assert.deepEqual((await changes.held()).includes(node.two), true);
  assert.ok(!lockable(node.two));
});

test('New workers that can not start leave all as it was, and their words are told', async (t) => {
  const node = new Node(t);
  const { changes } = await node.start();
  const free = lockDirectory(join(node.one, '..', 'three'), 'refuse');
  await node.memory.takeIn(join(node.one, '..', 'three'));
  await assert.rejects(changes.follow(), { kind: 'in-use' }, 'somebody else has it');
  assert.equal(node.renewals, 0);
  free();
  await assert.rejects(changes.follow(), { kind: 'storage-failure', message: /./ }, 'it is no storage');
  assert.ok(lockable(join(node.one, '..', 'three')), 'what was held for them is not held any more');
});

test('Who works in a storage while it is let go is answered or refused, and all that was answered is there', async (t) => {
  const node = new Node(t);
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
  await node.takeOut();
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
