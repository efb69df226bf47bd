/** Records that processing keeps in the transaction of an append: both are there, or neither. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Account, AppendGuard, Storage } from '../../../backend/storage/storage.ts';
import { inPieces, mailboxOf, RecordingHints, sampleMessage, temporaryStorage } from './harness.ts';

async function appendGuarded(target: { storage: Storage; account: Account }, guard: AppendGuard): Promise<readonly number[]> {
  const staged = await target.account.stage(inPieces(sampleMessage('x')), 10_000);
  try {
    return (await mailboxOf(target.account).append([{ staged, marks: { flags: 0, keywords: [] } }], guard)).uids;
  } finally {
    await staged.discard();
  }
}

async function opened(t: TestContext): Promise<{ storage: Storage; account: Account; hints: RecordingHints }> {
  const hints = new RecordingHints();
  const storage = await temporaryStorage(t, { hints });
  return { storage, account: await storage.createAccount('alice@example.com'), hints };
}

test('Of many appends at once that ask for the same record, one enters its message', async (t) => {
  const target = await opened(t);
  const once: AppendGuard = (records) => {
    if (records.get(['seen']) !== undefined) return 'skip';
    records.put(['seen'], Buffer.from('1'));
    return 'append';
  };
  const uids = await Promise.all(Array.from({ length: 10 }, () => appendGuarded(target, once)));
  assert.deepEqual(uids.flat(), [1]);
  assert.equal(mailboxOf(target.account).state().messages, 1);
});

test('A record made by an append that fails is not kept, and one that skips its message is', async (t) => {
  const target = await opened(t);
  await assert.rejects(appendGuarded(target, (records) => {
    records.put(['lost'], Buffer.from('1'));
    throw new Error('changed my mind');
  }), /changed my mind/);
  const hinted = target.hints.published.length;
  assert.deepEqual(await appendGuarded(target, (records) => {
    records.put(['kept'], Buffer.from('1'));
    return 'skip';
  }), []);
  const { deliveryRecords } = target.account;
  assert.equal(deliveryRecords.read((records) => records.get(['lost'])), undefined);
  assert.ok(deliveryRecords.read((records) => records.get(['kept'])));
  assert.equal(target.hints.published.length, hinted, 'nothing has changed that a client could see');
  assert.equal(mailboxOf(target.account).state().uidNext, 1);
  await deliveryRecords.write((records) => records.remove(['kept']));
  assert.ok(target.storage.deliveryRecords().every((each) => each.read((records) => records.get(['kept']) === undefined)));
});
