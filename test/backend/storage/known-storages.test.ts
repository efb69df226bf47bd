/** A storage that the node has had, and that is not in its folder now, is never begun anew by itself: its disk may only not be mounted. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { HeldDirectories } from '../../../backend/held-directories.ts';
import { demandKnownQueue, noteKnownQueue } from '../../../backend/known-queue.ts';
import { demandKnownStorages } from '../../../backend/known-storages.ts';
import { acceptStorage, declareLost } from '../../../backend/offline-storage.ts';
import { storageDirectoriesOf } from '../../../backend/storage-directories.ts';
import { claimDirectory } from '../../../backend/storage/directory-record.ts';
import { quietLog, temporaryDirectory } from './harness.ts';
import { clockGoesOn, declareGoneLost, Node, nodeWithThird, notThere } from './remembering-node.ts';

/** A node that has lived with two storages and a queue, of which it has made its notes. */
async function nodeWithQueue(t: TestContext): Promise<{ readonly node: Node; readonly one: string; readonly two: string; readonly queue: string }> {
  const node = new Node(t);
  const [one = '', two = ''] = node.places.storage.directories;
  const queue = node.places.services.processing.queueDirectory ?? '';
  claimDirectory(queue, { cluster: 'test', node: 'be1' }, { name: 'queue', fileName: 'queue.json', format: 1 });
  await node.live();
  noteKnownQueue(node.places, [one, two], quietLog);
  return { node, one, two, queue };
}

test('A first start makes its folders; without the disk of a storage the node does not start, nothing is made, and with it all is as before', async (t) => {
  const node = new Node(t);
  assert.deepEqual(await node.live(), []);
  node.unmount();
  for (const state of ['empty', 'missing']) {
    if (state === 'missing') rmSync(node.mounted, { recursive: true });
    await assert.rejects(node.live(), notThere(node.mounted));
    assert.throws(() => demandKnownStorages(node.places), notThere(node.mounted), 'nor does a worker, when the disk goes while the node runs');
    assert.deepEqual(existsSync(node.mounted) ? readdirSync(node.mounted) : [], [], 'nothing is made');
  }
  mkdirSync(node.mounted);
  node.mount();
  assert.deepEqual(await node.live(), ['alice@example.com']);
});

test('A node that died in its first start before a storage was made begins again', async (t) => {
  const node = new Node(t);
  new HeldDirectories(node.places, 'refuse', quietLog).release();
  assert.deepEqual(await node.live(), []);
});

test('What is declared lost is begun empty, once; what is there is not lost', async (t) => {
  const node = new Node(t);
  await node.live();
  assert.throws(() => declareLost(node.mounted), { kind: 'bad-input', message: /is not lost: it has storage\.json/ });
  for (const life of ['first', 'second']) {
    rmSync(node.mounted, { recursive: true });
    await assert.rejects(node.live(), notThere(node.mounted), life);
    await clockGoesOn();
    declareGoneLost(node.mounted);
    await node.live();
    assert.ok(!readdirSync(node.mounted).some((name) => name.includes('lost')));
  }
});

test('What is no folder can not be declared lost, and none is made for it', (t) => {
  const folder = temporaryDirectory(t);
  const file = join(folder, 'file');
  writeFileSync(file, '');
  for (const path of [join(folder, 'typo'), file, '.']) assert.throws(() => declareLost(path), { kind: 'bad-input', message: new RegExp(`^there is no folder ${path}: .*mkdir -p ${path}$`) });
  assert.deepEqual(readdirSync(folder), ['file']);
});

test('A storage that was declared lost by mistake, and was mounted afterwards, is missed the next time', async (t) => {
  const node = new Node(t);
  await node.live();
  node.unmount();
  declareLost(node.mounted);
  const below = `${node.mounted}-below`;
  renameSync(node.mounted, below);
  renameSync(node.away, node.mounted);
  await node.live();
  rmSync(node.mounted, { recursive: true });
  renameSync(below, node.mounted);
  await assert.rejects(node.live(), notThere(node.mounted));
});

test('Without the disk of its queue a node does not start, and nothing is made; the queue of another place or node is another one; declared lost it is begun anew, once', async (t) => {
  const node = new Node(t);
  const { places } = node;
  const queue = places.services.processing.queueDirectory ?? '';
  const begin = (): void => {
    demandKnownQueue(places);
    claimDirectory(queue, { cluster: 'test', node: 'be1' }, { name: 'queue', fileName: 'queue.json', format: 1 });
    noteKnownQueue(places, [node.mounted, '/nowhere'], quietLog);
  };
  await node.live();
  begin();
  await node.live();
  renameSync(queue, `${queue}-disk`);
  const missing = { kind: 'storage-failure', message: new RegExp(`^${queue} has no queue .*Mount it; .*waybill storage lost ${queue}$`) };
  assert.throws(() => new HeldDirectories(places, 'refuse', quietLog), missing);
  assert.throws(() => demandKnownQueue(places), missing);
  assert.equal(existsSync(queue), false);
  demandKnownQueue({ ...places, services: { processing: { queueDirectory: `${queue}2` } } });
  demandKnownQueue({ ...places, nodeName: 'be2' });
  declareGoneLost(queue); // by mistake, below a disk that is mounted afterwards
  renameSync(queue, `${queue}-below`);
  renameSync(`${queue}-disk`, queue);
  begin();
  rmSync(queue, { recursive: true });
  renameSync(`${queue}-below`, queue);
  assert.throws(() => demandKnownQueue(places), missing);
  await clockGoesOn();
  declareGoneLost(queue);
  begin();
  assert.throws(() => declareLost(queue), { kind: 'bad-input', message: /it has queue\.json/ });
  rmSync(queue, { recursive: true });
  assert.throws(() => demandKnownQueue(places), missing);
  writeFileSync(join(node.mounted, 'queue-of-node.json'), 'torn');
  demandKnownQueue(places);
});

test('A worker that looks while another one begins the queue takes it for there; so is one that lacks its record only', (t) => {
  const { places } = new Node(t);
  const queue = places.services.processing.queueDirectory ?? '';
  const [directory = ''] = places.storage.directories;
  mkdirSync(directory, { recursive: true });
  const begin = (): void => {
    claimDirectory(queue, { cluster: 'test', node: 'be1' }, { name: 'queue', fileName: 'queue.json', format: 1 });
    noteKnownQueue(places, [directory], quietLog);
  };
  demandKnownQueue({ ...places, storage: { get directories() { begin(); return places.storage.directories; } } });
  rmSync(join(queue, 'queue.json'));
  assert.throws(() => demandKnownQueue(places), { kind: 'storage-failure' });
  mkdirSync(join(queue, 'index'));
  assert.throws(() => declareLost(queue), { kind: 'bad-input' });
  demandKnownQueue(places);
});

test('What is declared counts, too, where the clock was set back since the node was there last', async (t) => {
  const { node, one, two, queue } = await nodeWithQueue(t);
  const tomorrow = new Date(Date.now() + 86_400_000);
  const notes = [...readdirSync(join(queue, 'storages')).map((name) => join(queue, 'storages', name)), ...[one, two].map((storage) => join(storage, 'queue-of-node.json'))];
  const setClockBack = (): void => notes.filter((note) => existsSync(note)).forEach((note) => utimesSync(note, tomorrow, tomorrow));
  renameSync(one, node.away);
  setClockBack();
  await assert.rejects(node.live(), notThere(one));
  await clockGoesOn();
  declareGoneLost(one);
  await node.live();
  rmSync(one, { recursive: true });
  renameSync(node.away, one);
  setClockBack();
  await assert.rejects(node.live(), /another storage/);
  await clockGoesOn();
  acceptStorage(one);
  assert.deepEqual(await node.live(), ['alice@example.com']);
  for (const storage of [one, two]) renameSync(storage, `${storage}-disk`);
  setClockBack();
  await assert.rejects(node.live(), notThere(one));
  await clockGoesOn();
  for (const storage of [one, two]) declareGoneLost(storage);
  await node.live();
  for (const storage of [one, two]) {
    rmSync(storage, { recursive: true });
    renameSync(`${storage}-disk`, storage);
  }
  rmSync(queue, { recursive: true });
  setClockBack();
  assert.throws(() => demandKnownQueue(node.places), { kind: 'storage-failure' });
  await clockGoesOn();
  declareGoneLost(queue);
  demandKnownQueue(node.places);
});

test('Who may not date a note of a time to come is told which, and what to do', { skip: process.getuid?.() === 0 ? false : 'only root can be somebody else' }, async (t) => {
  const { node, one, two, queue } = await nodeWithQueue(t);
  const storages = join(queue, 'storages');
  for (const folder of [dirname(one), one, two, queue, storages]) chmodSync(folder, 0o755);
  const tomorrow = new Date(Date.now() + 86_400_000);
  const notes = [join(two, 'queue-of-node.json'), ...readdirSync(storages).map((name) => join(storages, name))];
  for (const note of notes) {
    chmodSync(note, 0o644);
    utimesSync(note, tomorrow, tomorrow);
  }
  const asNobody = (action: () => void) => (): void => {
    process.seteuid?.(65_534);
    try {
      action();
    } finally {
      process.seteuid?.(0);
    }
  };
  const told = (note: string): object => ({ kind: 'storage-failure', message: new RegExp(`^${note}.* bears a time to come \\(${tomorrow.toISOString()}\\), .*EPERM.*: touch ${note}`) });
  assert.throws(asNobody(() => demandKnownQueue(node.places)), told(join(two, 'queue-of-node.json')));
  assert.throws(asNobody(() => demandKnownStorages(node.places)), told(join(storages, 'known-')));
});

test('One that was attached is missed, too; declared lost it is forgotten', async (t) => {
  const { node, three } = await nodeWithThird(t);
  rmSync(three, { recursive: true });
  await assert.rejects(node.live(), notThere(three));
  declareGoneLost(three);
  await node.live();
  assert.deepEqual(storageDirectoriesOf(node.places).attached, []);
  mkdirSync(join(three, 'packs'));
  writeFileSync(join(three, 'packs', 'x'), '');
  assert.throws(() => declareLost(three), { kind: 'bad-input', message: /it has packs/ });
});
