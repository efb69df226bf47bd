/** Changes of flags that a mailbox keeps beside its rows: what they make of rows, which are one, when there are too many; and a mailbox that walks over that bound, against a plain model. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { applyRecords, bySoundness, rowNow, withRecord } from '../../../backend/storage/flag-records.ts';
import type { FlagRecord } from '../../../backend/storage/flag-records.ts';
import { usualBounds } from '../../../backend/storage/account-bounds.ts';
import { AccountChange } from '../../../backend/storage/account-change.ts';
import { StoredAccount } from '../../../backend/storage/account.ts';
import { getAccount } from '../../../backend/storage/entries.ts';
import { emptyBlock, withRow } from '../../../backend/storage/row-block.ts';
import { closeVolume, openVolume } from '../../../backend/storage/volume.ts';
import { PackedRows } from '../../../backend/storage/row-list.ts';
import { Flag, openEnvironment, openStorage } from '../../../backend/storage/storage.ts';
import type { Environment, Mailbox, MessageRow } from '../../../backend/storage/storage.ts';
import { Dice } from '../../torture/dice.ts';
import { deliver, mailboxOf, RecordingHints, recount, sampleMessage, storageOptions, temporaryDirectory } from './harness.ts';

const set = (modseq: number, bits: number, ...ranges: number[]): FlagRecord => [modseq, 1, -1, bits, -1, 0, ...ranges];
const clear = (modseq: number, bits: number, ...ranges: number[]): FlagRecord => [modseq, 1, ~bits, 0, -1, 0, ...ranges];
const rowOf = (uid: number, modseq: number, flags = 0): MessageRow => ({ uid, modseq, flags, keywords: 0, size: 1, internalDateMs: 0, savedDateMs: 0, messageId: uid, threadId: uid });
const blockOfRows = (rows: readonly MessageRow[]): Buffer => rows.reduce<Buffer>((block, row) => withRow(block, row), emptyBlock);
const told = (block: Buffer): string[] => new PackedRows(block).all().map(({ uid, flags, modseq }) => `${String(uid)}: ${String(flags)} at ${String(modseq)}`);

test('Records change the rows within their ranges in their order, but none that is as new as they are', () => {
  const block = blockOfRows([rowOf(3, 1), rowOf(5, 2, 8), rowOf(6, 11, 16), rowOf(9, 1)]);
  const records = [set(10, 1, 3, 3, 5, 6), set(11, 4, 5, 7), clear(12, 1, 1, 4)];
  const single = new PackedRows(Buffer.from(block)).all().map((row) => rowNow(records, row));
  applyRecords(records, block);
  assert.deepEqual(told(block), ['3: 0 at 12', '5: 13 at 11', '6: 16 at 11', '9: 0 at 1']);
  assert.deepEqual(single, new PackedRows(block).all(), 'one row alone is as it is among others');
  applyRecords(records, block);
  assert.deepEqual(new PackedRows(block).all(), single, 'a second time changes nothing');
});

test('A change of the very rows that a record changed last is one record with it, whether or not rows have the first change already', () => {
  const first = set(10, 5, 1, 9);
  const both = withRecord([set(4, 8, 1, 9), first], { record: clear(12, 1, 1, 9), before: { lowest: 10, highest: 10 } });
  assert.ok(typeof both === 'object');
  assert.deepEqual(both.map(([modseq]) => modseq), [4, 12]);
  for (const row of [rowOf(2, 1), rowOf(2, 4, 8), rowOf(2, 10, 13)]) assert.deepEqual([rowNow(both, row).flags, rowNow(both, row).modseq], [12, 12]);
  const edits = [
    { record: clear(12, 1, 1, 9), before: { lowest: 9, highest: 10 } }, // another change lies between for one of the rows
    { record: clear(12, 1, 1, 8), before: { lowest: 10, highest: 10 } },
  ];
  for (const edit of edits) assert.equal(withRecord([first], edit).length, 2);
});

test('Records are few and small: a scattered change is none, and one too many says so', () => {
  const before = { lowest: 1, highest: 1 };
  const scattered = Array.from({ length: 60 }, (_, index) => 2 * index + 1);
  assert.equal(withRecord([], { record: set(5, 1, ...scattered), before }), 'with-rows');
  assert.equal(withRecord([set(5, 1, 1, 1)], { record: set(5, 2, 2, 2), before }), 'with-rows', 'one for each mod-sequence');
  let records: readonly FlagRecord[] = [];
  for (let modseq = 2; ; modseq += 1) {
    const next = withRecord(records, { record: set(modseq, 1, modseq, modseq), before });
    if (typeof next === 'string') {
      assert.equal(next, 'full');
      break;
    }
    records = next;
    assert.ok(records.length < 100);
  }
  assert.ok(records.length > 5);
  assert.ok(Buffer.byteLength(JSON.stringify(records.map((record) => record.map(() => 2 ** 32)))) < 2000, 'small enough for its place in the index');
  const wide: FlagRecord = [5, 30_000, -1, 1, -1, 0, 1, 30_000];
  assert.equal(withRecord([wide], { record: [6, 30_000, -1, 2, -1, 0, 2, 30_001], before }), 'full', 'who reads applies all of them');
});

test('A record that can not be true is told from one that can', () => {
  const isFine = (record: FlagRecord, before?: FlagRecord): boolean => bySoundness({ flagRecords: before === undefined ? [record] : [before, record], highestModseq: 20 }).unsound.length === 0;
  assert.ok(isFine(set(20, 1, 1, 1, 3, 9), set(19, 1, 1, 1)));
  const wrong = [set(21, 1, 1, 1), set(20, 1), set(20, 1, 1), set(20, 1, 0, 3), set(20, 1, 4, 3), set(20, 1, 4, 5, 5, 6), set(20, 1, 1.5, 2), set(0, 1, 1, 1)];
  for (const record of wrong) assert.ok(!isFine(record), JSON.stringify(record));
  assert.ok(!isFine(set(20, 1, 1, 1), set(20, 1, 2, 2)));
  const [first, last] = [set(3, 1, 1, 1), set(5, 1, 1, 1)];
  assert.deepEqual(bySoundness({ flagRecords: [first, set(20, 1, 4, 3), last], highestModseq: 20 }), { sound: [first, last], unsound: [set(20, 1, 4, 3)] }, 'what follows one that can not be true may be');
});

/** What the model knows of a message. */
interface Known {
  flags: number;
  modseq: number;
}

function recordsIn(environment: Environment, id: number): number {
  const value = environment.read(() => environment.table('mailboxes').get([id]))?.toString() ?? '{}';
  return (JSON.parse(value) as { flagRecords?: readonly unknown[] }).flagRecords?.length ?? 0;
}

/** One act upon the mailbox and the model. */
async function act(dice: Dice, inbox: Mailbox, model: Map<number, Known>): Promise<void> {
  const uids = [...model.keys()];
  const kind = dice.below(12);
  if (kind === 0) {
    const { uids: fresh } = await inbox.copyTo(dice.some(uids.slice(0, 3)), inbox);
    const rows = fresh.map((uid) => inbox.row(uid));
    for (const row of rows) if (row !== undefined) model.set(row.uid, { flags: row.flags, modseq: inbox.state().highestModseq });
    return;
  }
  if (kind === 1 && uids.length > 400) {
    for (const uid of (await inbox.expunge([dice.pick(uids)])).uids) model.delete(uid);
    return;
  }
  const first = dice.below(uids.length);
  const chosen = dice.pick([uids, uids.slice(first, first + 190), uids.slice(first, first + 190), [dice.pick(uids)], uids.filter(() => dice.oneIn(50))]);
  const [mode, flags] = [dice.pick(['add', 'remove', 'replace'] as const), 1 << dice.below(5)];
  const { modseq = 0 } = await inbox.changeFlags(chosen, { mode, flags, keywords: [] });
  for (const uid of chosen) {
    const known = model.get(uid) ?? { flags: 0, modseq: 0 };
    const after = mode === 'add' ? known.flags | flags : mode === 'remove' ? known.flags & ~flags : flags;
    if (after !== known.flags) model.set(uid, { flags: after, modseq });
  }
}

test('However changes, new messages and expunges follow on each other, every reader sees the same mailbox, before and after records are written with the rows', async (t) => {
  const directory = temporaryDirectory(t);
  const storage = await openStorage(storageOptions(directory));
  t.after(async () => storage.close());
  const index = openEnvironment(join(directory, 'index'));
  t.after(async () => index.close());
  const account = await storage.createAccount('alice@example.com');
  const inbox = mailboxOf(account);
  await deliver({ storage, account, mailbox: inbox }, sampleMessage('one'));
  for (let have = 1; have < 512; have *= 2) await inbox.copyTo(inbox.uids(), inbox);
  const dice = new Dice(20_261_127);
  const model = new Map(inbox.rows().map(({ uid, flags, modseq }): [number, Known] => [uid, { flags, modseq }]));
  const records: number[] = [];
  for (let turn = 0; turn < 120; turn += 1) {
    await act(dice, inbox, model);
    records.push(recordsIn(index, inbox.id));
    const wanted = [...model].map(([uid, { flags, modseq }]) => ({ uid, flags, modseq }));
    const seen = (rows: readonly MessageRow[]): typeof wanted => rows.map(({ uid, flags, modseq }) => ({ uid, flags, modseq }));
    assert.deepEqual(seen(inbox.rows()), wanted, `turn ${String(turn)}`);
    for (const count of [wanted.length, 0]) assert.deepEqual(seen(inbox.rowList({ fromUid: 1, toUid: 2 ** 32 - 1, count }).all()), wanted);
    const some = dice.pick(wanted);
    assert.deepEqual(seen([inbox.row(some.uid)].filter((row) => row !== undefined)), [some]);
    const since = inbox.state().highestModseq - dice.below(12);
    assert.deepEqual(seen(inbox.changesSince(since).changed), wanted.filter(({ modseq }) => modseq > since));
    const { messages, unseen, deleted, bytes } = inbox.state();
    assert.deepEqual({ messages, unseen, deleted, bytes }, recount(inbox));
    assert.equal(unseen, wanted.filter(({ flags }) => (flags & Flag.Seen) === 0).length);
  }
  const written = records.filter((count, index) => count < (records[index - 1] ?? 0)).length;
  assert.ok(written > 3 && Math.max(...records) > 5, `records: ${records.join(' ')}`);
});

/** Gives alice's mailbox as many rows more as that, each in a block of its own: few are left of many. */
async function addSparse(directory: string, mailbox: number, count: number): Promise<void> {
  const volume = openVolume(directory, { hints: new RecordingHints(), reserveBytes: 0, limitsOf: () => ({ bytes: 0, messages: 0 }), bounds: usualBounds });
  await volume.environment.write(() => {
    const entry = getAccount(volume.tables, 'alice@example.com');
    assert.ok(entry !== undefined);
    const change = new AccountChange(new StoredAccount(volume, entry));
    const into = change.mailbox(mailbox);
    const row = into.row(1);
    assert.ok(row !== undefined);
    for (let index = 1; index <= count; index += 1) into.add(row, 64 * index);
    change.save();
  });
  await closeVolume(volume);
}

test('Rows that lie in very many blocks are written at once: nobody has to wait until all of them are written for a change of one', async (t) => {
  const directory = temporaryDirectory(t);
  const filling = await openStorage(storageOptions(directory));
  const account = await filling.createAccount('alice@example.com');
  await deliver({ storage: filling, account, mailbox: mailboxOf(account) }, sampleMessage('one'));
  const { id } = mailboxOf(account);
  await filling.close();
  await addSparse(directory, id, 2100);
  const storage = await openStorage(storageOptions(directory));
  t.after(async () => storage.close());
  const index = openEnvironment(join(directory, 'index'));
  t.after(async () => index.close());
  const inbox = mailboxOf(await storage.createAccount('alice@example.com'));
  await inbox.changeFlags(inbox.uids(), { mode: 'add', flags: 1, keywords: [] });
  assert.equal(recordsIn(index, id), 0);
  await inbox.changeFlags(inbox.uids().slice(0, 1500), { mode: 'add', flags: 2, keywords: [] });
  assert.equal(recordsIn(index, id), 1);
  assert.deepEqual(inbox.rows().map(({ flags }) => flags), inbox.uids().map((_, at) => (at < 1500 ? 3 : 1)));
});
