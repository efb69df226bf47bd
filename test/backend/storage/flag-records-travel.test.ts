/** Changes of flags that lie beside the rows of a mailbox go along where it goes: to another node, and into a backup and out of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { copyChanges } from '../../../backend/account-move/copy.ts';
import { localSource } from '../../../backend/account-move/local-source.ts';
import { Flag, openStorage } from '../../../backend/storage/storage.ts';
import type { Account, Mailbox, Storage } from '../../../backend/storage/storage.ts';
import { backupsOf } from './backups.ts';
import { inIndex } from './damage.ts';
import { deliver, mailboxOf, recount, sampleMessage, storageOptions, temporaryDirectory } from './harness.ts';

const address = 'alice@example.com';

interface Place {
  readonly directory: string;
  readonly storage: Storage;
}

async function open(t: TestContext, nodeName: string): Promise<Place> {
  const directory = temporaryDirectory(t);
  const storage = await openStorage(storageOptions(directory, { nodeName }));
  t.after(async () => storage.close());
  return { directory, storage };
}

/** More than two hundred messages in Work, with changes beside their rows. */
async function filled({ directory, storage }: Place): Promise<{ readonly account: Account; readonly work: Mailbox }> {
  const account = await storage.createAccount(address);
  await account.createMailbox('Work');
  const work = mailboxOf(account, 'Work');
  await deliver({ storage, account, mailbox: work }, sampleMessage('one'));
  for (let have = 1; have < 200; have *= 2) await work.copyTo(work.uids(), work);
  await work.changeFlags(work.uids(), { mode: 'add', flags: Flag.Seen, keywords: ['one'] });
  await work.changeFlags(work.uids().slice(20, 150), { mode: 'replace', flags: Flag.Flagged | Flag.Deleted, keywords: [] });
  assert.equal(await recordsIn(directory, work), 2);
  return { account, work };
}

async function recordsIn(directory: string, { id }: Mailbox): Promise<number> {
  let records: readonly unknown[] = [];
  await inIndex(directory, 'mailboxes', (table) => {
    ({ flagRecords: records = [] } = JSON.parse(table.get([id])?.toString() ?? '{}') as { flagRecords?: readonly unknown[] });
  });
  return records.length;
}

function assertSame(there: Mailbox, here: Mailbox): void {
  const told = (mailbox: Mailbox): unknown => mailbox.rows().map(({ uid, flags, keywords, modseq }) => ({ uid, flags, keywords, modseq }));
  assert.deepEqual(told(there), told(here));
  const { messages, unseen, deleted, bytes } = there.state();
  assert.deepEqual({ messages, unseen, deleted, bytes }, recount(there));
}

test('An account that moves has them in its rows where it comes to, also those that were made while it was copied; the copies are compared as they are seen', async (t) => {
  const [from, to] = [await open(t, 'be1'), await open(t, 'be2')];
  const { account, work } = await filled(from);
  const { leaving } = from.storage.transfers;
  const { arriving } = to.storage.transfers;
  const pass = async (): Promise<number> => copyChanges({ source: localSource('be1', from.storage), arriving, address, onRows: () => undefined });
  await arriving.begin(address, { from: 'be1', id: account.id, epoch: account.epoch + 1, holder: '' });
  await pass();
  await work.changeFlags(work.uids().slice(60, 210), { mode: 'add', flags: Flag.Answered, keywords: ['two'] });
  await work.changeFlags([3], { mode: 'remove', flags: Flag.Seen, keywords: ['one'] });
  await work.expunge([120]);
  assert.ok(await recordsIn(from.directory, work) > 2);
  assert.equal(await pass(), 151, 'the second pass brings what was changed since');
  await leaving.hold(address, { token: 'be2/1', forMs: 60_000 });
  await arriving.complete(address, leaving.snapshot(address));
  assert.equal(arriving.fingerprint(address), leaving.fingerprint(address));
  await leaving.seal(address, { token: 'be2/1', node: 'be2', epoch: account.epoch + 1 });
  await arriving.activate(address);
  const there = mailboxOf(await to.storage.createAccount(address), 'Work');
  assertSame(there, work);
  assert.equal(await recordsIn(to.directory, there), 0);
});

test('A mailbox comes back out of a backup with the flags that it showed', async (t) => {
  const place = await open(t, 'be1');
  const { account, work } = await filled(place);
  const shown = work.rows().map(({ uid, flags, keywords }) => ({ uid, flags, keywords }));
  assert.deepEqual([shown[0], shown[30]].map((row) => [row?.flags, row?.keywords]), [[Flag.Seen, 1], [Flag.Flagged | Flag.Deleted, 0]]);
  const backups = backupsOf(t);
  await backups.make(place.storage, 'b');
  await account.deleteMailbox('Work');
  await place.storage.care.restore({ folder: backups.folder, name: 'b' }, { address, mailbox: 'Work', report: () => undefined, signal: new AbortController().signal });
  const back = mailboxOf(account, 'Work');
  assert.deepEqual(back.rows().map(({ uid, flags, keywords }) => ({ uid, flags, keywords })), shown);
  const { messages, unseen, deleted, bytes } = back.state();
  assert.deepEqual({ messages, unseen, deleted, bytes }, recount(back));
  assert.equal(await recordsIn(place.directory, back), 0);
});
