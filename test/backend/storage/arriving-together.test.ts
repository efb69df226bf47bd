/** Messages that enter a storage together: what is refused takes nothing of its neighbours with it, and leaves nothing behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFailure } from '../../../shared/base/failure.ts';
import { checkStorage } from '../../../backend/storage/storage.ts';
import type { Account, AppendGuard, AppendResult, StagedMessage } from '../../../backend/storage/storage.ts';
import { bytesOf, inPieces, mailboxOf, sampleMessage, temporaryStorage } from './harness.ts';

const marks = { flags: 0, keywords: [] };
const kinds = (results: readonly PromiseSettledResult<unknown>[]): string[] =>
  results.map((result) => (result.status === 'fulfilled' ? 'stored' : isFailure(result.reason) ? result.reason.kind : String(result.reason)));

test('One that is refused after it was entered takes nothing of its neighbours, gives back what it had, and is told what it is', async (t) => {
  const small = sampleMessage('small', 1000);
  const storage = await temporaryStorage(t, { quota: { bytes: 3000, messages: 0 } });
  const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map(async (name) => storage.createAccount(`${name}@example.com`))) as [Account, Account, Account];
  const stage = async (bytes: Buffer): Promise<StagedMessage> => alice.stage(inPieces(bytes), 100_000);
  const enter = async (account: Account, staged: StagedMessage, guard?: AppendGuard): Promise<AppendResult> => mailboxOf(account).append([{ staged, marks }], guard);
  const record = ['a record', 1];
  const disturbed: AppendGuard = (records) => {
    records.put(record, Buffer.from('written'));
    throw new Error('disturbed');
  };
  for (let round = 0; round < 3; round += 1) {
    const big = await stage(sampleMessage('big', 4000)); // beyond the quota of each
    const shared = await stage(small);
    const other = await stage(sampleMessage('other', 900));
    const results = await Promise.allSettled([enter(alice, big), enter(bob, shared), enter(alice, shared, disturbed), enter(carol, other), enter(carol, big), enter(alice, shared)]);
    const full = round < 2 ? 'stored' : 'over-quota';
    assert.deepEqual(kinds(results), ['over-quota', full, 'Error: disturbed', 'stored', 'over-quota', full]);
    await Promise.all([big, shared, other].map(async (staged) => staged.discard()));
  }
  assert.equal(alice.deliveryRecords.read((records) => records.get(record)), undefined);
  for (const account of [alice, bob]) {
    assert.deepEqual(mailboxOf(account).rows().map(({ uid }) => uid), [1, 2]);
    assert.deepEqual(account.quota(), { bytes: 2 * small.length, messages: 2, bytesLimit: 3000, messagesLimit: 0 });
    assert.ok((await bytesOf(mailboxOf(account), 2)).equals(small));
  }
  const [kept] = storage.care.folders();
  assert.ok(kept !== undefined);
  assert.deepEqual((await checkStorage(kept, { report: () => undefined, signal: new AbortController().signal })).findings, []);
});

test('A locked storage refuses who waits behind others as soon as its own patience is over', { timeout: 15_000 }, async (t) => {
  const storage = await temporaryStorage(t);
  const account = await storage.createAccount('alice@example.com');
  const enter = async (): Promise<AppendResult> => {
    const staged = await account.stage(inPieces(sampleMessage('x')), 10_000);
    try {
      return await mailboxOf(account).append([{ staged, marks }]);
    } finally {
      await staged.discard();
    }
  };
  await enter(); // a pack is open
  const [kept] = storage.care.folders();
  await kept?.environment.lock(Date.now() + 300_000);
  const results = [enter()];
  await new Promise((resolve) => setTimeout(resolve, 100)); // it waits for the lock
  results.push(enter(), enter());
  await new Promise((resolve) => setTimeout(resolve, 100)); // these wait for the batch
  const now = performance.now.bind(performance);
  t.mock.method(performance, 'now', () => now() + 31_000);
  assert.deepEqual(kinds(await Promise.allSettled(results)), ['in-use', 'in-use', 'in-use']);
  await kept?.environment.unlock();
  assert.deepEqual((await enter()).uids, [2]);
});
