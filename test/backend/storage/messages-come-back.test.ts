/** What goes into a mailbox comes out of it: bytes, marks, structure; also after closing and opening again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFailure } from '../../../shared/base/failure.ts';
import { Flag, openStorage } from '../../../backend/storage/storage.ts';
import type { Account } from '../../../backend/storage/storage.ts';
import { bytesOf, deliver, inPieces, mailboxOf, realMessages, RecordingHints, recount, sampleMessage, storageOptions, temporaryDirectory, temporaryStorage, wronglyKept } from './harness.ts';

test('Every real message comes back byte for byte, also after closing and opening again', async (t) => {
  const directory = temporaryDirectory(t);
  const messages = realMessages();
  assert.ok(messages.length > 50);
  const first = await openStorage(storageOptions(directory));
  const account = await first.createAccount('alice@example.com');
  const uids = await Promise.all(messages.map(({ bytes }) => deliver({ storage: first, account, mailbox: mailboxOf(account) }, bytes)));
  await first.close();
  const second = await openStorage(storageOptions(directory));
  t.after(() => second.close());
  const found = second.find('alice@example.com');
  assert.equal(found.at, 'live');
  if (found.at !== 'live') return;
  const inbox = mailboxOf(found.account);
  for (const [index, { name, bytes }] of messages.entries()) {
    const uid = uids[index]?.uids[0] ?? 0;
    assert.deepEqual(await bytesOf(inbox, uid), bytes, name);
    assert.equal(inbox.row(uid)?.size, bytes.length);
    assert.equal(inbox.message(uid)?.structure.root.headerStart, 0);
  }
  assert.deepEqual(recount(inbox), { messages: messages.length, unseen: messages.length, deleted: 0, bytes: messages.reduce((sum, { bytes }) => sum + bytes.length, 0) });
});

test('A big message streams into a pack and any range of it can be read', async (t) => {
  const storage = await temporaryStorage(t);
  const account = await storage.createAccount('alice@example.com');
  const inbox = mailboxOf(account);
  const big = sampleMessage('big', 3_000_000);
  const small = sampleMessage('small', 4096);
  await Promise.all([deliver({ storage, account, mailbox: inbox }, big), deliver({ storage, account, mailbox: inbox }, small), deliver({ storage, account, mailbox: inbox }, big)]);
  const rows = inbox.rows();
  assert.equal(rows.length, 3);
  for (const row of rows) {
    const original = row.size === big.length ? big : small;
    assert.deepEqual(await bytesOf(inbox, row.uid), original);
    const message = inbox.message(row.uid);
    assert.deepEqual(await message?.read(1000, 50), original.subarray(1000, 1050));
    assert.deepEqual(await message?.read(original.length - 10, 1000), original.subarray(-10));
    assert.deepEqual(await message?.read(original.length + 5, 10), Buffer.alloc(0));
  }
});

test('A message beyond its limit, or whose sender fails, leaves nothing behind and the next one is stored', async (t) => {
  const storage = await temporaryStorage(t);
  const account = await storage.createAccount('alice@example.com');
  const inbox = mailboxOf(account);
  for (const bytes of [1000, 1_000_000]) {
    await assert.rejects(account.stage(inPieces(sampleMessage('x', bytes)), bytes - 400), (error) => isFailure(error, 'message-too-big'));
    await assert.rejects(account.stage(cutShort(sampleMessage('x', bytes)), 10_000_000), /line was cut/);
  }
  const kept = sampleMessage('kept', 700_000);
  const { uids } = await deliver({ storage, account, mailbox: inbox }, kept);
  assert.deepEqual(await bytesOf(inbox, uids[0] ?? 0), kept);
  assert.equal(inbox.state().messages, 1);
});

async function* cutShort(bytes: Buffer): AsyncGenerator<Buffer> {
  yield* inPieces(bytes);
  throw new Error('line was cut');
}

test('Flags, keywords and dates are kept, and a hint follows each change', async (t) => {
  const hints = new RecordingHints();
  const storage = await temporaryStorage(t, { hints });
  const account = await storage.createAccount('alice@example.com');
  const inbox = mailboxOf(account);
  const before = hints.published.length;
  const { uids, uidValidity } = await deliver({ storage, account, mailbox: inbox }, sampleMessage('one'), { flags: Flag.Seen, keywords: ['$Forwarded', 'todo'], internalDateMs: -5000 });
  assert.deepEqual(hints.published.slice(before), [{ account: account.id, mailbox: inbox.id }]);
  const row = inbox.row(uids[0] ?? 0);
  assert.equal(row?.flags, Flag.Seen);
  assert.equal(row.internalDateMs, -5000);
  assert.ok(Math.abs(row.savedDateMs - Date.now()) < 10_000);
  const state = inbox.state();
  assert.equal(state.uidValidity, uidValidity);
  assert.deepEqual(state.keywords.filter((_, bit) => ((row.keywords >>> bit) & 1) === 1), ['$Forwarded', 'todo']);
});

test('Several recipients of one staged message share its bytes and its id', async (t) => {
  const storage = await temporaryStorage(t);
  const alice = await storage.createAccount('alice@example.com');
  const bob = await storage.createAccount('bob@example.com');
  const staged = await alice.stage(inPieces(sampleMessage('for both')), 10_000);
  const boxes = [mailboxOf(alice), mailboxOf(bob), mailboxOf(bob, 'Sent')];
  await Promise.all(boxes.map((box) => box.append([{ staged, marks: { flags: 0, keywords: [] } }])));
  await staged.discard();
  await staged.discard();
  assert.equal(new Set(boxes.map((box) => box.rows()[0]?.messageId)).size, 1);
  await boxes[0]?.expunge([1]);
  await boxes[1]?.expunge([1]);
  const last = boxes[2];
  assert.ok(last);
  assert.deepEqual(await bytesOf(last, 1), sampleMessage('for both'));
});

test('A message staged in one storage can be appended in another', async (t) => {
  const directories = [temporaryDirectory(t), temporaryDirectory(t)];
  const storage = await temporaryStorage(t, { directories });
  const accounts = await Promise.all(Array.from({ length: 6 }, (_, index) => storage.createAccount(`user${index}@example.com`)));
  const bytes = sampleMessage('everywhere', 600_000);
  const staged = await (accounts[0] as Account).stage(inPieces(bytes), 1_000_000);
  await Promise.all(accounts.map((account) => mailboxOf(account).append([{ staged, marks: { flags: 0, keywords: [] } }])));
  await staged.discard();
  for (const account of accounts) {
    assert.deepEqual(await bytesOf(mailboxOf(account), 1), bytes);
    assert.deepEqual(await wronglyKept(account), []);
  }
  assert.deepEqual(storage.addresses(), accounts.map(({ address }) => address));
});
