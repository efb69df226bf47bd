/** The tables of an account that its users let grow have bounds: what is there stays, what would be too much is refused, and what moves or comes back is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkStorage } from '../../../backend/storage/storage.ts';
import type { RightsEntry, Storage } from '../../../backend/storage/storage.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { backupsOf } from './backups.ts';
import { temporaryStorage } from './harness.ts';

const limit = (words: RegExp) => (error: unknown): boolean => isFailure(error, 'limit') && words.test(error.message);
const reader = (before: RightsEntry): RightsEntry => ({ ...before, allow: 'lr' });
const quiet = { report: () => undefined, signal: new AbortController().signal };
const bounds = { mailboxes: 8, subscriptions: 7, rightsPerMailbox: 3, rightsPerAccount: 5 };

test('mailboxes of an account are counted with the levels above that come with them, and those that are there may be renamed', async (t) => {
  const storage = await temporaryStorage(t, { bounds });
  const alice = await storage.createAccount('alice@example.com'); // has five
  await alice.createMailbox('a/b');
  await assert.rejects(alice.createMailbox('c/d'), limit(/at most 8 mailboxes/));
  assert.deepEqual(alice.mailboxes().map(({ name }) => name).filter((name) => /^[a-d]/.test(name)), ['a', 'a/b'], 'nothing is left of what was refused');
  await alice.createMailbox('c');
  await alice.renameMailbox('c', 'd');
  await assert.rejects(alice.renameMailbox('d', 'e/f'), limit(/mailboxes/), 'the level above would be one more');
  await alice.deleteMailbox('d');
  await alice.createMailbox('d');
});

test('subscriptions and rights are counted, those to be taken back are not', async (t) => {
  const storage = await temporaryStorage(t, { bounds });
  const alice = await storage.createAccount('alice@example.com'); // subscribed to five
  await alice.setSubscribed('x', 'yes');
  await alice.setSubscribed('y', 'yes');
  await alice.setSubscribed('y', 'yes');
  await assert.rejects(alice.setSubscribed('z', 'yes'), limit(/at most 7 subscriptions/));
  await alice.setSubscribed('x', 'no');
  await alice.setSubscribed('z', 'yes');
  for (const who of ['a@example.com', 'b@example.com', 'c@example.com']) await alice.changeRights('INBOX', who, reader);
  await assert.rejects(alice.changeRights('INBOX', 'd@example.com', reader), limit(/at most 3 users and groups/));
  await alice.changeRights('INBOX', 'c@example.com', (before) => ({ ...before, allow: 'l' }));
  for (const who of ['a@example.com', 'b@example.com']) await alice.changeRights('Sent', who, reader);
  await assert.rejects(alice.changeRights('Trash', 'a@example.com', reader), limit(/at most 5 entries of rights/));
  await assert.rejects(alice.createMailbox('Sent/Below'), limit(/entries of rights/), 'a new folder takes those above over');
  await alice.changeRights('Sent', 'b@example.com', (before) => ({ ...before, allow: '' }));
  await alice.changeRights('Trash', 'a@example.com', reader);
  await alice.renameMailbox('Trash', 'Sent/Bin');
  await alice.deleteMailbox('Sent/Bin');
  await alice.changeRights('Drafts', 'a@example.com', reader);
  await assert.rejects(alice.changeRights('Drafts', 'b@example.com', reader), limit(/at most 5 entries of rights/));
  await demandSound(storage);
});

/** What is counted is what is there. */
async function demandSound(storage: Storage): Promise<void> {
  const [folder] = storage.care.folders();
  assert.ok(folder !== undefined);
  assert.deepEqual((await checkStorage(folder, quiet)).findings, []);
}

test('what comes back out of a backup is not refused for a bound that was lowered since', async (t) => {
  const before = await temporaryStorage(t);
  const alice = await before.createAccount('alice@example.com');
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    await alice.createMailbox(name);
    for (const who of ['bob@example.com', 'eve@example.com']) await alice.changeRights(name, who, reader);
  }
  const backups = backupsOf(t);
  await backups.make(before, 'b');
  const storage = await temporaryStorage(t, { bounds });
  const restored = await storage.care.restore({ folder: backups.folder, name: 'b' }, { address: 'alice@example.com', mailbox: undefined, ...quiet });
  assert.equal(restored.mailboxes.length, 10);
  const record = storage.find('alice@example.com');
  assert.ok(record.at === 'live');
  assert.equal(record.account.folderRights('e').own.length, 2);
  await assert.rejects(record.account.createMailbox('more'), limit(/mailboxes/));
  await assert.rejects(record.account.changeRights('INBOX', 'bob@example.com', reader), limit(/entries of rights/));
  await record.account.changeRights('e', 'bob@example.com', (entry) => ({ ...entry, allow: '' }));
  await demandSound(storage);
});

test('of names of deleted mailboxes the oldest are forgotten when there are many', async (t) => {
  const storage = await temporaryStorage(t, { bounds });
  const alice = await storage.createAccount('alice@example.com');
  const names = Array.from({ length: 17 }, (_, index) => `gone${String(index)}`);
  for (const name of names) {
    await alice.createMailbox(name);
    await alice.deleteMailbox(name);
  }
  const begins: number[] = [];
  for (const name of ['gone0', 'gone3', 'gone4', 'gone16']) {
    begins.push((await alice.createMailbox(name)).state().highestModseq);
    await alice.deleteMailbox(name);
  }
  assert.deepEqual(begins, [1, 1, 2, 2], 'those that are remembered go on counting');
});
