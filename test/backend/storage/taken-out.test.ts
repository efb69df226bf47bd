/** Storages that are taken out and in: their accounts are never unknown and never made anew, and what was another node's is held until it is settled whose it is. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { storageListHandlers } from '../../../backend/administration/storage-list-handlers.ts';
import { forgetAttached, forgetJoining, forgetTakenOut, noteAttached, noteJoining, noteKnown, noteTakenOut, readStorageList } from '../../../backend/storage/storage-list.ts';
import { Failure } from '../../../shared/base/failure.ts';
import { thisProcess } from '../../../shared/base/process-identity.ts';
import { storageDirectoriesOf } from '../../../backend/storage-directories.ts';
import { openStorage } from '../../../backend/storage/storage.ts';
import { IndexCare } from '../../../backend/text-index/text-index.ts';
import type { Storage } from '../../../backend/storage/storage.ts';
import { bytesOf, deliver, mailboxOf, sampleMessage, storageOptions, temporaryDirectory } from './harness.ts';
import { StorageNode, alice, command } from './storage-node.ts';

const away = { kind: 'storage-failure', message: /taken out for the time being/ };

async function fill(storage: Storage, addresses: readonly string[]): Promise<void> {
  for (const address of addresses) {
    const account = await storage.createAccount(address);
    await deliver({ storage, account, mailbox: mailboxOf(account) }, sampleMessage(address));
  }
}

test('Accounts, aliases and groups of a storage that is taken out can not be had for the time being, whoever asks how, and are there again when it is back', async (t) => {
  const folder = temporaryDirectory(t);
  const [one, two] = [join(folder, 'one'), join(folder, 'two')];
  const only = (directory: string): { domains: { limitsOf: () => object; storagesOf: () => readonly string[] } } => ({ domains: { limitsOf: () => ({}), storagesOf: () => [directory] } });
  const first = await openStorage(storageOptions(one, { directories: [one, two], ...only(two) }));
  await fill(first, ['alice@example.com']);
  await first.lives.addAlias('alice@example.com', 'ally@example.com');
  await first.lives.putGroup({ address: 'team@example.com', members: ['alice@example.com'] });
  const record = first.find('alice@example.com');
  assert.ok(record.at === 'live');
  await record.account.changeRights('INBOX', '$team@example.com', (before) => ({ ...before, allow: 'lr' }));
  first.care.leave(two);
  assert.equal(record.account.standing(), 'away', 'sessions end');
  await assert.rejects(record.account.stage([Buffer.from('x')], 10), away, 'no message comes into it');
  assert.throws(() => first.find('alice@example.com'), away);
  await assert.rejects(first.lives.addAlias('alice@example.com', 'late@example.com'), away);
  await assert.rejects(first.createAccount('new@example.com'), { kind: 'storage-full' }, 'nothing new comes into it');
  assert.deepEqual([first.ownersGranting('$team@example.com'), first.groupsGranted()], [[], []], 'lists of what is shared do without it');
  const index = new IndexCare(first, { clusterName: 'test', nodeName: 'be1', directories: [one, two], indexed: 'all' });
  assert.deepEqual((await index.status()).map(({ directory }) => directory), [one, two]);
  const addresses = first.care.addressesOf(two);
  assert.deepEqual([...addresses].sort(), ['alice@example.com', 'ally@example.com', 'team@example.com']);
  await first.close();

  const list = join(folder, 'list');
  noteTakenOut(list, { directory: two, since: 'then', addresses });
  const { takenOut } = readStorageList(list);
  const without = await openStorage(storageOptions(one, { takenOut }));
  for (const address of addresses) {
    assert.throws(() => without.find(address), away);
    assert.throws(() => without.lives.localName(address), away);
    assert.ok(without.isTakenOut(address));
    await assert.rejects(without.createAccount(address), away);
    await assert.rejects(without.lives.putGroup({ address, members: ['bob@example.com'] }), away);
  }
  assert.equal(without.find('nobody@example.com').at, 'none');
  await without.close();

  forgetTakenOut(list, two);
  assert.deepEqual(readStorageList(list).takenOut, []);
  const back = await openStorage(storageOptions(one, { directories: [one, two] }));
  t.after(async () => back.close());
  const again = back.find('alice@example.com');
  assert.ok(again.at === 'live');
  assert.deepEqual(await bytesOf(mailboxOf(again.account), 1), sampleMessage('alice@example.com'));
  assert.deepEqual(back.lives.localName('ally@example.com'), { kind: 'alias', account: 'alice@example.com' });
});

test('A storage of another node that is attached becomes this node\'s, its accounts are held, and it takes no new ones unless the configuration names it', async (t) => {
  const folder = temporaryDirectory(t);
  const [own, theirs, moved] = [join(folder, 'own'), join(folder, 'theirs'), join(folder, 'moved')];
  const other = await openStorage(storageOptions(theirs, { nodeName: 'be2' }));
  await fill(other, ['alice@example.com', 'bob@example.com']);
  await other.markMoved('bob@example.com', 'be3', 7);
  await other.close();
  renameSync(theirs, moved);
  await assert.rejects(openStorage(storageOptions(own, { directories: [own, moved] })), { kind: 'in-use' }, 'only when it is attached');

  const storage = await openStorage(storageOptions(own, { directories: [own, moved], attached: [moved] }));
  assert.match(readFileSync(join(moved, 'storage.json'), 'utf8'), /"node":"be1"/);
  assert.deepEqual(storage.care.unsettled(), ['alice@example.com']);
  assert.deepEqual(storage.find('bob@example.com'), { at: 'moved', node: 'be3', epoch: 7 });
  for (let count = 0; count < 8; count += 1) await storage.createAccount(`new${String(count)}@example.com`);
  assert.equal(storage.care.addressesOf(own).size, 8);
  await storage.care.settle('alice@example.com', { owner: 'this-node' });
  await storage.close();

  const later = await openStorage(storageOptions(own, { directories: [own, moved], attached: [moved], domains: { limitsOf: () => ({}), storagesOf: () => [moved] } }));
  t.after(async () => later.close());
  assert.deepEqual(later.care.unsettled(), [], 'it is this node\'s now, and is asked about once');
  await later.createAccount('wanted@example.com');
  assert.ok(later.care.addressesOf(moved).has('wanted@example.com'));
});

test('A storage of the configuration that another node had meanwhile comes back by being attached, and not without; its accounts are held', async (t) => {
  const node = new StorageNode(t);
  const worker = await node.start();
  await worker.storage.createAccount(alice);
  await command(node, worker, ['detachStorage', { directory: node.two, addresses: 'remember' }]);
  const elsewhere = temporaryDirectory(t);
  await (await openStorage(storageOptions(elsewhere, { nodeName: 'be2', directories: [elsewhere, node.two], attached: [node.two] }))).close();
  assert.match(readFileSync(join(node.two, 'storage.json'), 'utf8'), /"node":"be2"/);
  await assert.rejects(openStorage(storageOptions(node.one, { directories: [node.one, node.two] })), { kind: 'in-use' });

  await command(node, worker, ['attachStorage', { directory: node.two }]);
  assert.deepEqual(node.workers.at(-1)?.storage.care.unsettled(), [alice]);
  assert.deepEqual([node.memory.joining(), node.memory.takenOut(), node.memory.attached()], [[], [], []]);
  assert.deepEqual((await node.start()).storage.addresses(), [alice], 'it is this node\'s for good');
});

test('A storage of another cluster, or of none, is not attached, and a memory that is damaged is not guessed at', async (t) => {
  const folder = temporaryDirectory(t);
  const [own, foreign, none] = [join(folder, 'own'), join(folder, 'foreign'), join(folder, 'none')];
  await (await openStorage(storageOptions(foreign, { clusterName: 'another' }))).close();
  await (await openStorage(storageOptions(own))).close();
  mkdirSync(none);
  await assert.rejects(openStorage(storageOptions(own, { directories: [own, foreign], attached: [foreign] })), { kind: 'in-use' });
  await assert.rejects(openStorage(storageOptions(own, { directories: [own, none], attached: [none] })), { kind: 'storage-failure', message: /is no storage/ });
  const list = join(folder, 'list');
  noteAttached(list, none);
  assert.deepEqual(readStorageList(list), { attached: [none], joining: [], takenOut: [] });
  writeFileSync(join(list, 'detached-0000000000000000.json'), '{');
  assert.throws(() => readStorageList(list), { kind: 'storage-failure', message: /damaged/ });
});

test('A folder is taken in under one name only: under a second one the node would lock itself out when it starts', async (t) => {
  const folder = temporaryDirectory(t);
  const [one, two, list, link] = [join(folder, 'one'), join(folder, 'two'), join(folder, 'list'), join(folder, 'link')];
  await (await openStorage(storageOptions(two))).close();
  symlinkSync(two, link);
  const storage = await openStorage(storageOptions(one));
  t.after(async () => storage.close());
  let openable = true;
  const handlers = storageListHandlers({
    storage, log: storageOptions(one).log, cluster: storageOptions(one).clusterName, node: storageOptions(one).nodeName, changes: { held: async () => Promise.resolve([]), leave: async () => Promise.resolve('left'), claim: async () => Promise.resolve(), endClaim: async () => Promise.resolve(), follow: async () => (openable ? Promise.resolve() : Promise.reject(new Failure('storage-failure', 'it has no index'))), letGo: async () => Promise.resolve('let-go') },
    memory: {
      takenOut: () => readStorageList(list).takenOut, attached: () => readStorageList(list).attached, takeOut: (out) => noteTakenOut(list, out), forget: (directory) => forgetAttached(list, directory),
      joining: () => readStorageList(list).joining, join: (directory) => noteJoining(list, { directory, process: thisProcess() }), giveUp: (directory) => forgetJoining(list, directory),
      takeIn: (directory) => {
        noteAttached(list, directory);
        forgetTakenOut(list, directory);
        forgetJoining(list, directory);
      },
    },
  });
  const attach = async (directory: string): Promise<unknown> => handlers.find(({ operation: { name } }) => name === 'attachStorage')?.handle({ params: {}, query: {}, body: { directory }, reply: { note: () => undefined } } as unknown as Parameters<(typeof handlers)[number]['handle']>[0]);
  for (const name of [one, `${one}/`, `${folder}/two/../one`]) await assert.rejects(attach(name), { kind: 'bad-input' }, name);
  openable = false;
  await assert.rejects(attach(two), /it has no index/);
  assert.deepEqual(readStorageList(list), { attached: [], joining: [], takenOut: [] }, 'as before');
  noteTakenOut(list, { directory: two, since: 'then', addresses: new Set(['alice@example.com']) });
  await assert.rejects(attach(two), /it has no index/);
  assert.deepEqual(readStorageList(list).takenOut, [{ directory: two, since: 'then', addresses: new Set(['alice@example.com']) }]);
  openable = true;
  assert.deepEqual(await attach(`${two}/`), { directory: two, storage: 'open' });
  await attach(link);
  assert.deepEqual(readStorageList(list).attached, [two]);
  noteTakenOut(list, { directory: two, since: 'then', addresses: new Set() });
  await attach(`${folder}/./two`);
  assert.deepEqual(readStorageList(list), { attached: [two], joining: [], takenOut: [] });
});

test('A storage that is taken out and comes back under another path is missed at its former one no more, until it is taken out again', async (t) => {
  const node = new StorageNode(t);
  const first = await node.start();
  await fill(first.storage, [alice]);
  noteKnown(node.list, node.two);
  await command(node, first, ['detachStorage', { directory: node.two, addresses: 'remember' }]);
  const moved = `${node.two}-moved`;
  renameSync(node.two, moved);
  const missed = (): readonly (readonly [string, number])[] => storageDirectoriesOf(node.places).takenOut.map(({ directory, addresses }) => [directory, addresses.size]);
  assert.deepEqual(missed(), [[node.two, 1]]);
  await command(node, await node.start(), ['attachStorage', { directory: moved }]);
  assert.deepEqual(missed(), [[node.two, 0]]);
  const { storage } = await node.start();
  await storage.lives.withdraw(alice, 'deleted');
  await storage.lives.purge(alice);
  assert.equal(storage.isTakenOut(alice), false, 'nobody waits for an account that is deleted');
});
