/** Compaction of packs while they are in use: what lives is somewhere else, byte for byte, and what is dead is gone. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { checkStorage, compactStorage, openStorage } from '../../../backend/storage/storage.ts';
import type { Account, CompactReport, Storage } from '../../../backend/storage/storage.ts';
import { bytesOf, deliver, mailboxOf, sampleMessage, storageOptions, temporaryDirectory } from './harness.ts';

const quiet = { report: () => undefined, signal: new AbortController().signal };

interface Filled {
  readonly directory: string;
  readonly storage: Storage;
  readonly account: Account;
}

/** Messages 1 to 20 in one pack that nobody writes any more; those from 6 on are gone. */
async function filled(t: TestContext): Promise<Filled> {
  const directory = temporaryDirectory(t);
  const writer = await openStorage(storageOptions(directory));
  const written = await writer.createAccount('alice@example.com');
  for (let number = 1; number <= 20; number += 1) await deliver({ storage: writer, account: written, mailbox: mailboxOf(written) }, sampleMessage(`m${String(number)}`, 4000), { flags: number === 2 ? 4 : 0, keywords: number === 2 ? ['blue'] : [] });
  await writer.close();
  const storage = await openStorage(storageOptions(directory));
  t.after(async () => storage.close());
  const found = storage.find('alice@example.com');
  assert.ok(found.at === 'live');
  await mailboxOf(found.account).copyTo([1], mailboxOf(found.account, 'Sent'));
  await mailboxOf(found.account).expunge(Array.from({ length: 15 }, (_, index) => 6 + index));
  return { directory, storage, account: found.account };
}

async function compact({ storage }: Filled, changes: { readonly deadPercent?: number; readonly report?: (text: string) => void } = {}): Promise<CompactReport> {
  const [kept] = storage.care.folders();
  assert.ok(kept !== undefined);
  return compactStorage(kept, { ...quiet, deadPercent: 50, bytesPerSecond: 2 ** 30, ...changes });
}

async function assertSound({ storage }: Filled): Promise<void> {
  const [kept] = storage.care.folders();
  assert.ok(kept !== undefined);
  assert.deepEqual((await checkStorage(kept, quiet)).findings, []);
}

function packsIn(directory: string): readonly string[] {
  return readdirSync(join(directory, 'packs')).sort();
}

test('What lives is copied, the old pack goes, and a message that was being read is read on where it is now', async (t) => {
  const all = await filled(t);
  const [old = ''] = packsIn(all.directory);
  const size = statSync(join(all.directory, 'packs', old)).size;
  const inbox = mailboxOf(all.account);
  const before = inbox.rows();
  const elsewhere = await openStorage(storageOptions(all.directory)); // has no pack open yet
  const found = elsewhere.find('alice@example.com');
  assert.ok(found.at === 'live');
  const reading = mailboxOf(found.account).message(3);
  const report = await compact(all);
  assert.deepEqual({ packs: report.packs, messages: report.messages, freed: report.freed, damaged: report.damaged }, { packs: 1, messages: 5, freed: size, damaged: 0 });
  assert.equal(await all.storage.removeDeadPacks(0), 1);
  assert.ok(!packsIn(all.directory).includes(old));
  assert.equal((await reading?.read(0, 2 ** 20))?.toString(), sampleMessage('m3', 4000).toString());
  await elsewhere.close();
  for (let uid = 1; uid <= 5; uid += 1) assert.deepEqual(await bytesOf(inbox, uid), sampleMessage(`m${String(uid)}`, 4000));
  assert.deepEqual(await bytesOf(mailboxOf(all.account, 'Sent'), 1), sampleMessage('m1', 4000));
  assert.deepEqual(inbox.rows(), before, 'nothing that clients see has changed');
  await assertSound(all);
  assert.deepEqual({ ...(await compact(all)), directory: '' }, { directory: '', packs: 0, messages: 0, bytes: 0, freed: 0, damaged: 0 });
});

test('A pack with less that is dead than was asked for stays as it is, also one of small messages, whose headers are not dead', async (t) => {
  const all = await filled(t);
  assert.equal((await compact(all, { deadPercent: 90 })).packs, 0);
  const writer = await openStorage(storageOptions(all.directory));
  const found = writer.find('alice@example.com');
  assert.ok(found.at === 'live');
  for (let number = 0; number < 50; number += 1) await deliver({ storage: writer, account: found.account, mailbox: mailboxOf(found.account, 'Drafts') }, sampleMessage('tiny', 200));
  await writer.close();
  const before = packsIn(all.directory);
  assert.equal((await compact(all)).packs, 1, 'the other one');
  assert.equal(before.length, 2);
});

test('A message that is not as it was written is not copied as if it were: it stays, and is named by the check', async (t) => {
  const all = await filled(t);
  const path = join(all.directory, 'packs', packsIn(all.directory)[0] ?? '');
  const bytes = readFileSync(path);
  const at = bytes.indexOf('Subject: m4') + 300;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(path, bytes);
  const report = await compact(all);
  assert.deepEqual({ packs: report.packs, messages: report.messages, damaged: report.damaged }, { packs: 0, messages: 4, damaged: 1 });
  assert.equal(await all.storage.removeDeadPacks(0), 0);
  const [kept] = all.storage.care.folders();
  assert.ok(kept !== undefined);
  assert.deepEqual((await checkStorage(kept, quiet)).findings.map(({ kind, uid }) => [kind, uid]), [['record-changed', 4]]);
});

test('What dies, moves or is copied while packs are rewritten is as if nothing had been rewritten', async (t) => {
  const all = await filled(t);
  const inbox = mailboxOf(all.account);
  const meanwhile: Promise<unknown>[] = [];
  await compact(all, {
    report: (text) => { // what it will copy is settled, nothing is copied yet
      if (text.startsWith('rewrites') && meanwhile.length === 0) meanwhile.push(inbox.expunge([1, 5]), inbox.moveTo([2], mailboxOf(all.account, 'Trash')), inbox.copyTo([3], mailboxOf(all.account, 'Drafts')));
    },
  });
  assert.equal((await Promise.all(meanwhile)).length, 3);
  await inbox.expunge([4]);
  await all.storage.removeDeadPacks(0);
  assert.deepEqual(inbox.rows().map(({ uid }) => uid), [3]);
  assert.deepEqual(await bytesOf(mailboxOf(all.account, 'Trash'), 1), sampleMessage('m2', 4000));
  assert.deepEqual(await bytesOf(mailboxOf(all.account, 'Drafts'), 1), sampleMessage('m3', 4000));
  await assertSound(all);
});
