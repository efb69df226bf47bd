/** The check of a storage names what was planted in it, and nothing else. */
import assert from 'node:assert/strict';
import { closeSync, cpSync, fstatSync, mkdtempSync, openSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkStorage, isLoss, keysUnder, openStorage } from '../../../backend/storage/storage.ts';
import type { CheckReport, Finding, Storage } from '../../../backend/storage/storage.ts';
import { holdingPacks } from '../../../backend/storage/kept-folder.ts';
import { openTables } from '../../../backend/storage/keys.ts';
import { Failure } from '../../../shared/base/failure.ts';
import { SmallDisk, smallDiskProblem } from '../../harness/small-disk.ts';
import { change, json, packWith } from './damage.ts';
import type { Change } from './damage.ts';
import { deliver, mailboxOf, realMessages, sampleMessage, storageOptions, temporaryDirectory } from './harness.ts';

let storage: Storage;
let directory: string;
const quiet = { report: () => undefined, signal: new AbortController().signal };
/** At the beginning of an index. */
const headersBytes = 2 * 4096;
/** Puts right what a test has planted. */
const repairs: (() => void)[] = [];

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'waybill-check-'));
  for (const [address, subjects] of [['alice@example.com', ['a1', 'a2', 'a3']], ['bob@example.com', ['b1', 'b2']]] as const) {
    const writer = await openStorage(storageOptions(directory)); // so each has a pack of its own
    const account = await writer.createAccount(address);
    for (const subject of subjects) await deliver({ storage: writer, account, mailbox: mailboxOf(account) }, sampleMessage(subject, 2000));
    await writer.close();
  }
  storage = await openStorage(storageOptions(directory));
  const record = storage.find('bob@example.com');
  assert.ok(record.at === 'live');
  for (const { bytes } of realMessages().slice(0, 20)) await deliver({ storage, account: record.account, mailbox: mailboxOf(record.account, 'Sent') }, bytes);
  await mailboxOf(record.account).copyTo([1], mailboxOf(record.account, 'Drafts'));
  await mailboxOf(record.account).copyTo([1, 2], mailboxOf(record.account, 'Trash'));
  await mailboxOf(record.account, 'Trash').expunge([1, 2]);
  await record.account.changeRights('Junk', 'alice@example.com', (entry) => ({ ...entry, allow: 'lr' }));
});

after(async () => {
  await storage.close();
  rmSync(directory, { recursive: true });
});

async function check(): Promise<CheckReport> {
  const [kept] = storage.care.folders();
  assert.ok(kept !== undefined);
  return checkStorage(kept, quiet);
}

/** What is found while the fault is there; afterwards all is as before, and nothing is found. */
async function found(plant: () => void | Promise<void>): Promise<readonly Finding[]> {
  await plant();
  const { findings, found: count, lost } = await check();
  for (const repair of repairs.splice(0)) repair();
  assert.equal(findings.length, count);
  assert.equal(lost, findings.filter(isLoss).length);
  return findings;
}

function asBefore({ path, bytes }: { readonly path: string; readonly bytes: Buffer }): void {
  repairs.push(() => writeFileSync(path, bytes));
}

test('A sound storage: everything is read, nothing is found, nothing stays behind', async () => {
  const report = await check();
  assert.deepEqual(report.findings, []);
  assert.deepEqual([report.accounts, report.mailboxes, report.messages, report.packs], [2, 10, 26, 3]);
  assert.deepEqual(readdirSync(directory).filter((name) => name.startsWith('scratch')), []);
});

test('One changed bit, a torn record and a lost pack: each message that is lost by it is named in each mailbox that has it', async () => {
  const flipped = await found(() => {
    const pack = packWith(directory, 'Subject: a2');
    asBefore(pack);
    const bytes = Buffer.from(pack.bytes);
    const at = bytes.indexOf('Subject: a2') + 300;
    bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at);
    writeFileSync(pack.path, bytes);
  });
  assert.deepEqual(flipped.map(({ kind, account, mailbox, uid }) => [kind, account, mailbox, uid]), [['record-changed', 'alice@example.com', 'INBOX', 2]]);
  assert.ok(flipped.every(isLoss));

  const torn = await found(() => {
    const pack = packWith(directory, 'Subject: b2');
    asBefore(pack);
    truncateSync(pack.path, pack.bytes.indexOf('Subject: b2') + 500);
  });
  assert.deepEqual(torn.map(({ kind, account, mailbox, uid }) => [kind, account, mailbox, uid]), [['record-torn', 'bob@example.com', 'INBOX', 2]]);

  const header = await found(() => {
    const pack = packWith(directory, 'Subject: a3');
    asBefore(pack);
    const bytes = Buffer.from(pack.bytes);
    bytes.writeUInt8(0, bytes.lastIndexOf('alice@example.com', bytes.indexOf('Subject: a3')));
    writeFileSync(pack.path, bytes);
  });
  assert.deepEqual(header.map(({ kind, uid }) => [kind, uid]), [['record-torn', 3]]);

  const gone = await found(() => {
    const { path } = packWith(directory, 'Subject: b1');
    renameSync(path, `${path}.away`);
    repairs.push(() => renameSync(`${path}.away`, path));
  });
  assert.deepEqual(gone.map(({ kind, mailbox, uid }) => [kind, mailbox, uid]).sort(), [['pack-lost', 'Drafts', 1], ['pack-lost', 'INBOX', 1], ['pack-lost', 'INBOX', 2]]);
  assert.deepEqual((await check()).findings, [], 'all is as before');
});

test('Where only some findings are kept, lost mail is among them, and all of it is counted', async () => {
  const [kept] = storage.care.folders();
  assert.ok(kept !== undefined);
  const undo = await change(directory, 'accounts', (value) => json(value, ({ bytes }) => ({ bytes: Number(bytes) + 1 })));
  const { path } = packWith(directory, 'Subject: b1');
  renameSync(path, `${path}.away`);
  const report = await checkStorage(kept, { ...quiet, mostFindings: 1 });
  renameSync(`${path}.away`, path);
  await undo();
  assert.deepEqual([report.findings.map(({ kind }) => kind), report.found, report.lost], [['pack-lost'], 4, 3]);
});

test('What in the index does not agree is found: rows without a message, wrong counters, quota, UIDs, names, references', async () => {
  const cases: readonly { readonly table: string; readonly to: Change; readonly kinds: readonly string[] }[] = [
    { table: 'messages', to: () => 'remove', kinds: ['left-over', 'live-bytes-wrong', 'message-missing'] },
    { table: 'messages', to: (value) => { value.writeUInt32LE(value.readUInt32LE(0) + 1, 0); return value; }, kinds: ['references-wrong'] },
    { table: 'structures', to: () => 'remove', kinds: ['structure-lost'] },
    { table: 'header-fields', to: (value) => Buffer.from(value.toString('latin1').replace('Subject: ', 'Subject: x'), 'latin1'), kinds: ['fields-wrong'] },
    { table: 'header-fields', to: (value) => Buffer.from(value.toString('latin1').replace('Subject: a', 'Subject: x'), 'latin1'), kinds: ['fields-wrong'] },
    { table: 'header-fields', to: () => 'remove', kinds: [] },
    { table: 'mailboxes', to: (value) => json(value, ({ messages }) => (Number(messages) > 0 ? { unseen: 99 } : undefined)), kinds: ['counters-wrong'] },
    { table: 'mailboxes', to: (value) => json(value, ({ messages }) => (Number(messages) > 0 ? { uidNext: 1 } : undefined)), kinds: ['uids-wrong'] },
    { table: 'mailboxes', to: (value) => json(value, ({ messages }) => (Number(messages) > 0 ? { recentFrom: 99 } : undefined)), kinds: ['uids-wrong'] },
    { table: 'mailboxes', to: (value) => json(value, ({ messages }) => (Number(messages) > 0 ? { highestModseq: 0 } : undefined)), kinds: ['modseq-wrong'] },
    { table: 'mailboxes', to: (value) => json(value, ({ messages, uidNext }) => (Number(messages) === 0 && Number(uidNext) > 1 ? { highestModseq: 1 } : undefined)), kinds: ['modseq-wrong'] },
    { table: 'mailboxes', to: (value) => json(value, ({ name }) => (name === 'Junk' ? { account: 77 } : undefined)), kinds: ['names-wrong', 'names-wrong', 'orphan-mailbox'] },
    { table: 'accounts', to: (value) => json(value, ({ bytes }) => ({ bytes: Number(bytes) + 1 })), kinds: ['quota-wrong'] },
    { table: 'names', to: (_value, key) => (key[1] === 'Junk' ? 'remove' : undefined), kinds: ['names-wrong'] },
    { table: 'grants', to: () => 'remove', kinds: ['grants-wrong'] },
    { table: 'mailboxes', to: (value) => json(value, ({ rights }) => (rights === undefined ? undefined : { rights: [] })), kinds: ['grants-wrong', 'quota-wrong'] },
    { table: 'recent', to: () => 'remove', kinds: ['changes-wrong'] },
    { table: 'mailboxes', to: (value) => json(value, ({ messages, highestModseq }) => (messages === 3 ? { flagRecords: [[highestModseq, 1, -1, 4, -1, 0, 1, 1]] } : undefined)), kinds: [] },
    { table: 'mailboxes', to: (value) => json(value, ({ messages, highestModseq }) => (messages === 3 ? { flagRecords: [[highestModseq, 1, -1, 1, -1, 0, 1, 1]] } : undefined)), kinds: ['counters-wrong'] },
    { table: 'mailboxes', to: (value) => json(value, ({ messages }) => (messages === 3 ? { flagRecords: [[2, 1, -1, 4, -1, 0, 3, 1]] } : undefined)), kinds: ['changes-wrong'] },
    { table: 'rows', to: (value) => (value.length > 56 ? Buffer.concat([value.subarray(56, 112), value.subarray(0, 56), value.subarray(112)]) : undefined), kinds: ['uids-wrong'] },
    { table: 'rows', to: () => 'remove', kinds: ['changes-wrong', 'counters-wrong', 'counters-wrong', 'counters-wrong', 'orphan-message', 'orphan-message', 'orphan-message'] },
    { table: 'mailboxes', to: (value) => (JSON.parse(value.toString()) as { messages: number }).messages === 3 ? 'remove' : undefined, kinds: ['left-over', 'left-over', 'names-wrong', 'orphan-message', 'orphan-message', 'orphan-message', 'quota-wrong'] },
    { table: 'packs', to: (value, key) => (typeof key[0] === 'number' ? json(value, ({ liveBytes }) => ({ liveBytes: Number(liveBytes) - 1 })) : undefined), kinds: ['live-bytes-wrong'] },
  ];
  for (const { table, to, kinds } of cases) {
    const undo = await change(directory, table, to);
    const { findings } = await check();
    await undo();
    assert.deepEqual(findings.map(({ kind }) => kind).sort(), kinds, `${table}: ${JSON.stringify(findings)}`);
  }
  assert.deepEqual((await check()).findings, [], 'all is as before');
});

test('An account that is on its way to here is not said to be wrong: messages may have come that its source got after it told its counters', async () => {
  const undo = await change(directory, 'mailboxes', (value) => json(value, ({ messages }) => (messages === 3 ? { uidNext: 1, messages: 0, unseen: 0, bytes: 0 } : undefined)));
  const undoAccount = await change(directory, 'accounts', (value) => json(value, ({ address }) => (address === 'alice@example.com' ? { bytes: 0, arriving: { from: 'be2', stage: 'copying', holder: '' } } : undefined)));
  const { findings } = await check();
  await undoAccount();
  await undo();
  assert.deepEqual(findings, []);
});

test('On a disk that has no room for a copy of the index nothing is checked, it is said why, and nothing is left there; with as much as is said it is', { skip: smallDiskProblem() }, async (t) => {
  const disk = new SmallDisk(join(temporaryDirectory(t), 'disk'), 65_536);
  const folder = join(disk.folder, 'storage');
  cpSync(directory, folder, { recursive: true });
  const small = await openStorage(storageOptions(folder));
  try {
    const [kept] = small.care.folders();
    assert.ok(kept !== undefined);
    const names = readdirSync(folder);
    disk.fill();
    const refused: unknown = await checkStorage(kept, quiet).catch((error: unknown) => error);
    assert.ok(refused instanceof Failure && refused.kind === 'storage-full', String(refused));
    assert.deepEqual(readdirSync(folder), names);
    disk.leave(Number(/needs (\d+) bytes/.exec(refused.message)?.[1]));
    assert.deepEqual((await checkStorage(kept, quiet)).findings, []);
  } finally {
    await small.close();
    disk.remove();
  }
});

test('An index that LMDB can not read is said to be damaged, with the way out', async (t) => {
  const folder = join(temporaryDirectory(t), 'storage');
  cpSync(directory, folder, { recursive: true });
  const spoilt = await openStorage(storageOptions(folder));
  t.after(() => spoilt.close());
  const [kept] = spoilt.care.folders();
  assert.ok(kept !== undefined);
  const file = join(folder, 'index', 'data.mdb');
  const pages = openSync(file, 'r+');
  writeSync(pages, Buffer.alloc(fstatSync(pages).size - headersBytes, 'x'), 0, undefined, headersBytes);
  closeSync(pages);
  const damaged = (where: string): { readonly kind: string; readonly message: RegExp } => ({ kind: 'storage-failure', message: new RegExp(`^${where}: its index is damaged: .*waybill storage repair --rebuild ${where}`) });
  await assert.rejects(checkStorage(kept, quiet), damaged(folder));
  const [sound] = storage.care.folders();
  assert.ok(sound !== undefined);
  await assert.rejects(holdingPacks(sound, async () => Promise.resolve(openTables(kept.environment).accounts.range(keysUnder([])))), damaged(directory), 'so does what repairs and compacts');
});
