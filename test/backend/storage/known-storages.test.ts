/** A storage that the node has had, and that is not in its folder now, is never begun anew by itself: its disk may only not be mounted. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeldDirectories } from '../../../backend/held-directories.ts';
import { demandKnownQueue, noteKnownQueue } from '../../../backend/known-queue.ts';
import { demandKnownStorages, noteKnownStorages } from '../../../backend/known-storages.ts';
import { acceptStorage, declareLost } from '../../../backend/offline-storage.ts';
import { storageDirectoriesOf, storageMemory } from '../../../backend/storage-directories.ts';
import { claimDirectory } from '../../../backend/storage/directory-record.ts';
import { openStorage } from '../../../backend/storage/storage.ts';
import { createLog } from '../../../shared/log/log.ts';
import { quietLog, storageOptions, temporaryDirectory } from './harness.ts';

const notThere = (directory: string): object => ({ kind: 'storage-failure', message: new RegExp(`^${directory} has no storage .*Mount it; .*waybill storage lost ${directory}$`) });

/** Files bear the time of the kernel's last tick, up to 10 ms ago: what is declared right after a note would seem to be from before it. */
async function clockGoesOn(): Promise<void> {
  await sleep(20);
}

/** As somebody does whose folder is gone, too. */
function declareGoneLost(directory: string): void {
  mkdirSync(directory, { recursive: true });
  declareLost(directory);
}

interface Warning {
  readonly directory: string;
  readonly text: string;
  readonly acceptedAt?: string;
  readonly lastOpenedAt?: string;
}

/** What a start of the node's first process tells its log. */
async function warnings(node: Node): Promise<readonly Warning[]> {
  const told: Warning[] = [];
  const warn = (fields: Omit<Warning, 'text'>, text: string): void => void told.push({ ...fields, text });
  await clockGoesOn();
  new HeldDirectories(node.places, 'refuse', Object.assign(createLog({ node: 'be1', level: 'silent' }), { warn })).release();
  return told;
}

class Node {
  readonly places: ConstructorParameters<typeof HeldDirectories>[0];
  readonly mounted: string;
  readonly away: string;

  constructor(t: TestContext) {
    const folder = temporaryDirectory(t);
    [this.mounted, this.away] = [join(folder, 'one'), join(folder, 'disk')];
    this.places = { nodeName: 'be1', storage: { directories: [this.mounted, join(folder, 'two')] }, services: { processing: { queueDirectory: join(folder, 'queue') } } };
  }

  /** From its start to its end, as the first process and a worker. */
  async live(): Promise<readonly string[]> {
    const held = new HeldDirectories(this.places, 'refuse', quietLog);
    try {
      demandKnownStorages(this.places);
      const { open, attached } = storageDirectoriesOf(this.places);
      const storage = await openStorage(storageOptions(this.mounted, { directories: open, attached }));
      noteKnownStorages(this.places, open, quietLog);
      const addresses = storage.addresses();
      await storage.createAccount('alice@example.com');
      await storage.close();
      return addresses;
    } finally {
      held.release();
    }
  }

  /** The folder is as empty as the place where a disk was. */
  unmount(): void {
    renameSync(this.mounted, this.away);
    mkdirSync(this.mounted);
  }

  mount(): void {
    rmSync(this.mounted, { recursive: true });
    renameSync(this.away, this.mounted);
  }
}

/** A node that has taken in a third storage, and has worked with it. */
async function nodeWithThird(t: TestContext): Promise<{ readonly node: Node; readonly three: string }> {
  const node = new Node(t);
  const three = `${node.mounted}-three`;
  await (await openStorage(storageOptions(three))).close();
  await storageMemory(node.places).takeIn(three);
  await node.live();
  return { node, three };
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

const other = (directory: string): object => ({ kind: 'storage-failure', message: new RegExp(`^${directory} has another storage .*waybill storage accept ${directory}$`) });
const older = (directory: string): object => ({ kind: 'storage-failure', message: new RegExp(`^${directory} has an older copy .*waybill storage accept ${directory}$`) });

test('The disk of another storage in the place of one is refused, until both are in their places, or it is said to be meant', async (t) => {
  const node = new Node(t);
  const [one = '', two = ''] = node.places.storage.directories;
  const swap = (): void => {
    renameSync(one, node.away);
    renameSync(two, one);
    renameSync(node.away, two);
  };
  await node.live();
  swap();
  const files = readdirSync(one);
  await assert.rejects(node.live(), other(one));
  assert.throws(() => demandKnownStorages(node.places), other(one), 'nor does a worker open it');
  assert.deepEqual(readdirSync(one), files, 'nothing is made in it');
  swap();
  assert.deepEqual(await node.live(), ['alice@example.com']);
  swap();
  await clockGoesOn();
  acceptStorage(one);
  await assert.rejects(node.live(), other(two), 'the other one is not meant by that');
  acceptStorage(two);
  assert.deepEqual(await node.live(), ['alice@example.com']);
  assert.deepEqual(await node.live(), ['alice@example.com']);
  assert.ok(!readdirSync(one).some((name) => name.startsWith('declared')), 'it was said once');
  swap();
  await assert.rejects(node.live(), other(one));
  rmSync(one, { recursive: true });
  assert.throws(() => acceptStorage(one), { kind: 'bad-input', message: /is no storage/ });
});

test('A worker that looks at whatever moment of another one\'s opening what was accepted is not refused', async (t) => {
  const node = new Node(t);
  const [one = '', two = ''] = node.places.storage.directories;
  await node.live();
  const note = readdirSync(join(node.places.services.processing.queueDirectory ?? '', 'storages')).map((name) => join(node.places.services.processing.queueDirectory ?? '', 'storages', name));
  const before = note.map((file) => readFileSync(file));
  renameSync(one, node.away);
  renameSync(two, one);
  renameSync(node.away, two);
  let looks = 0;
  for (let moment = 1; looks === 0 || moment <= looks; moment += 1) {
    note.forEach((file, index) => writeFileSync(file, before[index] ?? ''));
    for (const directory of [one, two]) {
      acceptStorage(directory);
      utimesSync(join(directory, 'declared-accepted'), new Date(Date.now() + 1000), new Date(Date.now() - 1000));
    }
    note.forEach((file) => utimesSync(file, new Date(), new Date(Date.now() - 2000)));
    looks = 0;
    demandKnownStorages({ ...node.places, get services() {
      looks += 1;
      if (looks === moment) noteKnownStorages(node.places, [one, two], quietLog);
      return node.places.services;
    } });
  }
  assert.ok(looks > 2, 'each look at a note is a moment');
});

test('A copy that is older than the last start is refused, until it is said to be meant; the latest state is not, nor is one of a node that was cut off as it started', async (t) => {
  const node = new Node(t);
  await node.live();
  const copy = `${node.mounted}-copy`;
  cpSync(node.mounted, copy, { recursive: true });
  await node.live();
  new HeldDirectories(node.places, 'refuse', quietLog).release(); // no worker came as far as noting it
  renameSync(node.mounted, node.away);
  cpSync(copy, node.mounted, { recursive: true });
  await assert.rejects(node.live(), older(node.mounted));
  node.mount();
  assert.deepEqual(await node.live(), ['alice@example.com']);
  renameSync(node.mounted, node.away);
  cpSync(copy, node.mounted, { recursive: true });
  acceptStorage(node.mounted);
  const told = await warnings(node);
  assert.deepEqual(told.map(({ directory }) => directory), [node.mounted]);
  assert.ok(told.every(({ lastOpenedAt = '', acceptedAt = '' }) => lastOpenedAt < acceptedAt && Date.now() - Date.parse(lastOpenedAt) < 60_000));
  assert.match(told[0]?.text ?? '', /an older copy .* waybill storage accept/);
  await node.live();
  assert.deepEqual(await node.live(), ['alice@example.com']);
  assert.deepEqual(await warnings(node), [], 'once');
  node.mount();
  await assert.rejects(node.live(), older(node.mounted), 'what was the latest state is it no more');
});

test('What earlier versions left, without identities, is opened, and guarded from then on', async (t) => {
  const node = new Node(t);
  await node.live();
  const list = join(node.places.services.processing.queueDirectory ?? '', 'storages');
  for (const directory of node.places.storage.directories) {
    const record = join(directory, 'storage.json');
    const { cluster, node: name, format } = JSON.parse(readFileSync(record, 'utf8')) as Record<string, unknown>;
    writeFileSync(record, JSON.stringify({ cluster, node: name, format }));
  }
  const copy = `${node.mounted}-copy`;
  cpSync(node.mounted, copy, { recursive: true });
  for (const name of readdirSync(list)) writeFileSync(join(list, name), JSON.stringify({ directory: 'as before' }));
  assert.deepEqual(await node.live(), ['alice@example.com']);
  for (const name of readdirSync(list)) writeFileSync(join(list, name), '{"directory": torn');
  await node.live();
  await node.live();
  rmSync(node.mounted, { recursive: true });
  renameSync(copy, node.mounted);
  await assert.rejects(node.live(), older(node.mounted));
});

test('A storage that is taken in where another one was is the right one', async (t) => {
  const { node, three } = await nodeWithThird(t);
  const memory = storageMemory(node.places);
  rmSync(three, { recursive: true });
  await (await openStorage(storageOptions(three))).close();
  await assert.rejects(node.live(), other(three));
  await memory.join(three);
  demandKnownStorages(node.places);
  await memory.takeIn(three);
  await node.live();
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
  const node = new Node(t);
  const [one = '', two = ''] = node.places.storage.directories;
  const queue = node.places.services.processing.queueDirectory ?? '';
  claimDirectory(queue, { cluster: 'test', node: 'be1' }, { name: 'queue', fileName: 'queue.json', format: 1 });
  await node.live();
  noteKnownQueue(node.places, [one, two], quietLog);
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
