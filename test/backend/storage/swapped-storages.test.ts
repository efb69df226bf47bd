/** Another storage than the node has had in a folder, or an older copy of it, is refused until it is said to be meant. */
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HeldDirectories } from '../../../backend/held-directories.ts';
import { demandKnownStorages, noteKnownStorages } from '../../../backend/known-storages.ts';
import { acceptStorage } from '../../../backend/offline-storage.ts';
import { storageMemory } from '../../../backend/storage-directories.ts';
import { openStorage } from '../../../backend/storage/storage.ts';
import { quietLog, storageOptions } from './harness.ts';
import { clockGoesOn, Node, nodeWithThird, warnings } from './remembering-node.ts';

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
  memory.join(three);
  demandKnownStorages(node.places);
  memory.takeIn(three);
  await node.live();
});
