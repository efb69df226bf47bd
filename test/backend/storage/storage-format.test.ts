/** The format of a storage is raised by the first process of a node, while nobody has it open; till then its workers write what older ones beside them understand. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HeldDirectories } from '../../../backend/held-directories.ts';
import { rebuildStorage, shrinkStorage } from '../../../backend/offline-storage.ts';
import { openStorage } from '../../../backend/storage/storage.ts';
import { inIndex } from './damage.ts';
import { deliver, mailboxOf, quietLog, recount, sampleMessage, storageOptions, temporaryDirectory } from './harness.ts';

/** What a change of flags by a worker leaves in the index: whether a record lies beside the rows, the flags that rows have, and those of the first row in its block. */
async function changed(directory: string, mode: 'add' | 'remove'): Promise<{ readonly records: number; readonly flags: readonly number[]; readonly written: number }> {
  const storage = await openStorage(storageOptions(directory));
  const account = await storage.createAccount('alice@example.com');
  const inbox = mailboxOf(account);
  if (inbox.uids().length === 0) await deliver({ storage, account, mailbox: inbox }, sampleMessage('one'));
  for (let have = inbox.uids().length; have < 256; have *= 2) await inbox.copyTo(inbox.uids(), inbox); // so many that a change of all has a record
  await inbox.changeFlags(inbox.uids(), { mode, flags: 1, keywords: [] });
  const { messages, unseen, deleted, bytes } = inbox.state();
  assert.deepEqual({ messages, unseen, deleted, bytes }, recount(inbox));
  const flags = [...new Set(inbox.rows().map((row) => row.flags))];
  let [records, written] = [0, 0];
  await inIndex(directory, 'mailboxes', (table) => {
    records = (JSON.parse(table.get([inbox.id])?.toString() ?? '{}') as { flagRecords?: unknown[] }).flagRecords?.length ?? 0;
  });
  await inIndex(directory, 'rows', (table) => {
    written = table.get([inbox.id, 0])?.readUInt32LE(4) ?? -1;
  });
  await storage.close();
  return { records, flags, written };
}

test('A worker keeps no changes beside the rows of a storage of the first format, and leaves it as it is; the first process of the node raises it', async (t) => {
  const folder = temporaryDirectory(t);
  const [directory, queue] = [join(folder, 'one'), join(folder, 'queue')];
  const places = { clusterName: 'test', nodeName: 'be1', storage: { directories: [directory] }, services: { processing: { queueDirectory: queue } } };
  await (await openStorage(storageOptions(directory))).close();
  const record = join(directory, 'storage.json');
  const format = (): number => (JSON.parse(readFileSync(record, 'utf8')) as { format: number }).format;
  assert.equal(format(), 2);
  writeFileSync(record, readFileSync(record, 'utf8').replace('"format":2', '"format":1'));
  assert.deepEqual(await changed(directory, 'add'), { records: 0, flags: [1], written: 1 }, 'a worker of an older program would see it');
  assert.equal(format(), 1);
  const held = new HeldDirectories(places, 'refuse', quietLog);
  t.after(() => held.release());
  assert.equal(format(), 2);
  assert.deepEqual(await changed(directory, 'remove'), { records: 1, flags: [0], written: 1 });
});

for (const [what, nodeName, format, kind] of [['another node\'s', 'be2', 1, 'in-use'], ['of a newer format', 'be1', 3, 'storage-failure']] as const) {
  test(`A start that is refused, as one of the storages is ${what}, changes none of them`, async (t) => {
    const folder = temporaryDirectory(t);
    const directories = [join(folder, 'one'), join(folder, 'two')];
    for (const [index, directory] of directories.entries()) await made(directory, index === 0 ? { nodeName: 'be1', format: 1 } : { nodeName, format });
    const places = { clusterName: 'test', nodeName: 'be1', storage: { directories }, services: { processing: { queueDirectory: join(folder, 'queue') } } };
    const before = directories.map(contents);
    assert.throws(() => new HeldDirectories(places, 'refuse', quietLog), { kind });
    assert.deepEqual(directories.map(contents), before);
  });
}

test('A start that is refused, as the queue is of a newer format, changes no storage', async (t) => {
  const folder = temporaryDirectory(t);
  const [directory, queue] = [join(folder, 'one'), join(folder, 'queue')];
  await made(directory, { nodeName: 'be1', format: 1 });
  mkdirSync(queue);
  writeFileSync(join(queue, 'queue.json'), '{"cluster":"test","node":"be1","format":2}');
  const before = contents(directory);
  const places = { clusterName: 'test', nodeName: 'be1', storage: { directories: [directory] }, services: { processing: { queueDirectory: queue } } };
  assert.throws(() => new HeldDirectories(places, 'refuse', quietLog), { kind: 'storage-failure', message: `${queue} has queue format 2; this program knows formats up to 1: it needs a newer version` });
  assert.deepEqual(contents(directory), before);
});

test('Commands that have a storage for themselves change nothing of one of a newer format', async (t) => {
  const directory = join(temporaryDirectory(t), 'one');
  await made(directory, { nodeName: 'be1', format: 3 });
  const before = contents(directory);
  const newer = { kind: 'storage-failure', message: `${directory} has storage format 3; this program knows formats up to 2: it needs a newer version` };
  await assert.rejects(shrinkStorage(directory), newer);
  await assert.rejects(rebuildStorage(directory, { json: true }), newer);
  assert.deepEqual(contents(directory), before);
});

async function made(directory: string, { nodeName, format }: { readonly nodeName: string; readonly format: number }): Promise<void> {
  await (await openStorage(storageOptions(directory, { nodeName }))).close();
  const record = join(directory, 'storage.json');
  writeFileSync(record, readFileSync(record, 'utf8').replace('"format":2', `"format":${String(format)}`));
}

/** Its record, and the names of all that is there but what says who has it. */
function contents(directory: string): readonly string[] {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => !/lock|holder/.test(name));
  return [readFileSync(join(directory, 'storage.json'), 'utf8'), ...names.toSorted()];
}
