/** What breaks off while a storage is taken in, or meets another taking in or out: the node never comes to be without storages, and nothing stays half noted. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { finishJoining } from '../../../backend/broken-joining.ts';
import { HeldDirectories } from '../../../backend/held-directories.ts';
import { noteJoining } from '../../../backend/storage/storage-list.ts';
import { quietLog, storageOptions } from './harness.ts';
import { StorageNode, alice, command, until } from './storage-node.ts';

test('Of two detaches at the same moment, at two workers, the last storage is refused: the node could not start without one', async (t) => {
  const node = new StorageNode(t);
  const workers = [await node.start(), await node.start()] as const;
  const outcomes = await Promise.allSettled([node.one, node.two].map(async (directory, index) => command(node, workers[index] ?? workers[0], ['detachStorage', { directory, addresses: 'keep' }])));
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  const refused = outcomes.find((outcome) => outcome.status === 'rejected');
  assert.match(String(refused?.reason), /needs one storage at least/);
  assert.equal(node.memory.takenOut().length, 1);
  const stays = node.memory.takenOut()[0]?.directory === node.one ? node.two : node.one;
  await assert.rejects(command(node, node.workers.at(-1) ?? workers[0], ['detachStorage', { directory: stays, addresses: 'keep' }]), /needs one storage at least/, 'also later');
});

test('A storage that is just being taken in does not count as one that the node has, and is not taken out meanwhile', async (t) => {
  const node = new StorageNode(t);
  const worker = await node.start();
  node.takeOut();
  node.memory.join(node.two);
  await assert.rejects(command(node, worker, ['detachStorage', { directory: node.one, addresses: 'keep' }]), /needs one storage at least/);
  await assert.rejects(command(node, worker, ['detachStorage', { directory: node.two, addresses: 'keep' }]), /just being taken in/);
  node.memory.giveUp(node.two);
  assert.deepEqual(node.memory.takenOut().map(({ directory, addresses }) => [directory, ...addresses]), [[node.two, alice]], 'all as before');
});

/** Names a process that has ended. */
const ended = '4194999:1@none';

test('An attach that broke off before it was done is finished at the next start when the storage opens, else left out, which the log says; what was noted before counts', async (t) => {
  const node = new StorageNode(t);
  const worker = await node.start();
  await worker.storage.createAccount(alice);
  await worker.storage.close();
  node.workers.length = 0;
  node.held.release();
  const [none, list] = [join(node.one, '..', 'three'), node.list];
  node.takeOut();
  for (const directory of [node.two, none]) noteJoining(list, { directory, process: ended });
  node.memory.takeOut({ directory: none, since: 'then', addresses: new Set(['carol@example.com']) });
  const lines: string[] = [];
  const log = new Proxy(storageOptions(node.one).log, { get: (target, name) => (name === 'error' ? (...words: unknown[]) => lines.push(JSON.stringify(words)) : Reflect.get(target, name) as unknown) });
  await finishJoining({ ...node.places, clusterName: storageOptions(node.one).clusterName }, { foreign: 'refuse', log });
  assert.deepEqual(node.memory.joining(), []);
  assert.deepEqual(node.memory.takenOut().map(({ directory, addresses }) => [directory, ...addresses]), [[none, 'carol@example.com']]);
  assert.ok(!existsSync(none), 'nothing is made where nothing is mounted');
  assert.match(lines.join('\n'), /three.*left out/);
  new HeldDirectories(node.places, 'refuse', quietLog).release();
  assert.equal((await node.start()).storage.find(alice).at, 'live');
});

test('An attach whose worker died is gone on with by the worker that has the work of the node', async (t) => {
  const node = new StorageNode(t);
  const worker = await node.start();
  await worker.storage.createAccount(alice);
  const [none, list] = [join(node.one, '..', 'three'), node.list];
  await command(node, worker, ['detachStorage', { directory: node.two, addresses: 'keep' }]);
  noteJoining(list, { directory: node.two, process: ended });
  const work = worker.changes.goOn();
  await until(() => node.memory.joining().length === 0);
  assert.deepEqual(node.memory.takenOut(), []);
  assert.equal(node.workers.at(-1)?.storage.find(alice).at, 'live');
  await work.stop(0);
  noteJoining(list, { directory: none, process: ended });
  const again = worker.changes.goOn();
  await until(() => node.memory.joining().length === 0);
  assert.deepEqual(node.memory.attached(), []);
  await again.stop(0);
});
