/** Storages are backed up and locked while other processes write, and accounts come back from a backup without anything being overwritten. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { isFailure } from '../../../shared/base/failure.ts';
import { checkStorage, Flag, listBackups, openStorage } from '../../../backend/storage/storage.ts';
import type { Account, RestoredAccount, Storage } from '../../../backend/storage/storage.ts';
import { testProcess } from '../../harness/program-file.ts';
import { backupsOf } from './backups.ts';
import { bytesOf, deliver, mailboxOf, sampleMessage, storageOptions, temporaryDirectory, temporaryStorage, wronglyKept } from './harness.ts';

const quiet = { report: () => undefined, signal: new AbortController().signal };
const address = 'alice@example.com';

function accountOf(storage: Storage, which = address): Account {
  const record = storage.find(which);
  if (record.at !== 'live') throw new Error(`${which} is ${record.at}`);
  return record.account;
}

async function restore(storage: Storage, from: { readonly folder: string; readonly name: string }, mailbox?: string): Promise<RestoredAccount> {
  return storage.care.restore(from, { address, mailbox, ...quiet });
}

async function put(storage: Storage, name: string, ...subjects: readonly string[]): Promise<void> {
  const account = accountOf(storage);
  for (const subject of subjects) await deliver({ storage, account, mailbox: mailboxOf(account, name) }, sampleMessage(subject));
}

async function subjectsIn(storage: Storage, name: string): Promise<readonly string[]> {
  const mailbox = mailboxOf(accountOf(storage), name);
  return Promise.all(mailbox.rows().map(async ({ uid }) => `${String(uid)} ${/Subject: (.*)\r/.exec((await bytesOf(mailbox, uid)).toString())?.[1] ?? ''}`));
}

/** What a process that appends without end has been told, line by line: `uid digest`. */
function writer(t: TestContext, directory: string): { readonly said: string[]; grownTo(lines: number): Promise<void> } {
  const child = spawn(process.execPath, [testProcess('backend/storage/worker-process'), 'stream', directory, 'w'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const said: string[] = [];
  let wake: () => void = () => undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    said.push(...chunk.toString().trimEnd().split('\n'));
    wake();
  });
  return {
    said,
    grownTo: async (lines) => {
      while (said.length < lines) await new Promise<void>((resolve) => { wake = resolve; });
    },
  };
}

test('A backup that is made while another process writes has all that was acknowledged before, whole; while the storage is locked nobody writes and everybody reads', async (t) => {
  const directory = temporaryDirectory(t);
  const storage = await openStorage(storageOptions(directory));
  t.after(async () => storage.close());
  await storage.createAccount(address);
  const { said, grownTo } = writer(t, directory);
  await grownTo(100);
  const acknowledged = said.slice();
  const backups = backupsOf(t);
  const record = await backups.make(storage, 'first');
  assert.deepEqual(record.parts.map(({ folder }) => folder), ['queue', 'storage-1']);
  await grownTo(acknowledged.length + 100);

  const [kept] = storage.care.folders();
  assert.ok(kept !== undefined);
  await kept.environment.lock(Date.now() + 60_000);
  const before = mailboxOf(accountOf(storage)).state().messages;
  let isWritten = false;
  const waiting = mailboxOf(accountOf(storage)).changeFlags([1], { mode: 'add', flags: Flag.Seen, keywords: [] }).then(() => { isWritten = true; });
  await new Promise((resolve) => setTimeout(resolve, 300)); // writers have every opportunity
  assert.equal(mailboxOf(accountOf(storage)).state().messages, before, 'nothing enters');
  assert.equal(isWritten, false);
  assert.equal((await bytesOf(mailboxOf(accountOf(storage)), 1)).length > 0, true, 'reading goes on');
  assert.equal(await kept.environment.unlock(), 'held');
  await waiting;
  await grownTo(said.length + 50);
  assert.equal(await kept.environment.unlock(), 'none');
  await kept.environment.lock(Date.now() + 50);
  await mailboxOf(accountOf(storage)).changeFlags([2], { mode: 'add', flags: Flag.Seen, keywords: [] }); // it ends by itself
  assert.equal(await kept.environment.unlock(), 'ended', 'who relied on it is told');

  const copy = await openStorage(storageOptions(join(backups.folder, 'first', 'storage-1')));
  t.after(async () => copy.close());
  const [part] = copy.care.folders();
  assert.ok(part !== undefined);
  const { findings, messages } = await checkStorage(part, quiet);
  assert.deepEqual(findings, []);
  assert.ok(messages >= acknowledged.length, `${String(messages)} messages are in the backup`);
  const inbox = mailboxOf(accountOf(copy));
  for (const line of acknowledged) {
    const [uid, digest] = line.split(' ');
    assert.equal(createHash('sha256').update(await bytesOf(inbox, Number(uid))).digest('hex'), digest);
  }
});

test('Packs that did not change are shared with the backup before, a dead pack stays while it is copied from, and names are checked', async (t) => {
  const directory = temporaryDirectory(t);
  const first = await openStorage(storageOptions(directory));
  await first.createAccount(address);
  await put(first, 'INBOX', 'one');
  await first.close();
  const storage = await openStorage(storageOptions(directory)); // writes a pack of its own
  t.after(async () => storage.close());
  await put(storage, 'INBOX', 'two');
  const backups = backupsOf(t);
  await backups.make(storage, 'a');
  await put(storage, 'INBOX', 'three');
  const { parts } = await backups.make(storage, 'b');
  assert.deepEqual(parts.map(({ packs, sharedPacks }) => [packs, sharedPacks]), [[0, 0], [2, 1]]);
  assert.deepEqual(listBackups(backups.folder).map(({ name }) => name), ['b', 'a']);
  for (const name of ['a', '../x', '.x', 'x.part', '']) await assert.rejects(backups.make(storage, name), (error) => isFailure(error, 'bad-input'), name);
  assert.deepEqual(readdirSync(backups.folder).sort(), ['a', 'b']);

  const inbox = mailboxOf(accountOf(storage));
  const release = await storage.care.folders()[0]?.packs.hold();
  await inbox.expunge([1]);
  assert.equal(await storage.removeDeadPacks(0), 0);
  await release?.();
  assert.equal(await storage.removeDeadPacks(0), 1);
});

test('An account that is gone comes back as it was, and counts on from beyond what its clients can have seen', async (t) => {
  const storage = await temporaryStorage(t);
  const account = await storage.createAccount(address);
  await account.setPasswordHash('{X}y');
  await account.createMailbox('Work/Plans');
  await put(storage, 'INBOX', 'one', 'two', 'three');
  await mailboxOf(account).expunge([2]);
  await mailboxOf(account).changeFlags([3], { mode: 'add', flags: Flag.Flagged, keywords: ['todo'] });
  await put(storage, 'Work/Plans', 'plan');
  await account.annotations.set({ mailbox: mailboxOf(account, 'Work/Plans').id }, { values: new Map([['/private/comment', Buffer.from('mine')]]), specialUses: ['\\Archive'] });
  await account.annotations.set({ mailbox: 'account' }, { values: new Map([['/private/vendor/a/b', Buffer.from('all')]]) });
  await account.changeRights('Work/Plans', 'bob@example.com', (entry) => ({ ...entry, allow: 'lr' }));
  const before = account.mailboxes();
  const backups = backupsOf(t);
  await backups.make(storage, 'b');
  await put(storage, 'INBOX', 'after the backup');
  const seen = mailboxOf(account).state();
  await storage.lives.withdraw(address, 'deleted');
  await assert.rejects(restore(storage, { folder: backups.folder, name: 'b' }), (error) => isFailure(error, 'forbidden'));
  await storage.lives.purge(address);

  const restored = await restore(storage, { folder: backups.folder, name: 'b' });
  assert.equal(restored.account, 'made');
  assert.ok(restored.mailboxes.every(({ how, damaged }) => how === 'as-it-was' && damaged.length === 0));
  const again = accountOf(storage);
  assert.equal(again.passwordHash(), '{X}y');
  assert.deepEqual(again.mailboxes().map(({ name, uidValidity, mailboxId, specialUses, messages }) => ({ name, uidValidity, mailboxId, specialUses, messages })), before.map(({ name, uidValidity, mailboxId, specialUses, messages }) => ({ name, uidValidity, mailboxId, specialUses, messages })));
  assert.deepEqual([...again.annotations.of({ mailbox: mailboxOf(again, 'Work/Plans').id }), ...again.annotations.of({ mailbox: 'account' })].map(({ entry, value }) => `${entry} ${String(value)}`), ['/private/comment mine', '/private/vendor/a/b all']);
  assert.deepEqual(await subjectsIn(storage, 'INBOX'), ['1 one', '3 three']);
  assert.deepEqual(await wronglyKept(again), []);
  const inbox = mailboxOf(again);
  assert.ok(inbox.state().uidNext > seen.uidNext && inbox.state().highestModseq > seen.highestModseq);
  const { changed, vanished } = inbox.changesSince(seen.highestModseq);
  assert.deepEqual(changed.map(({ uid, flags }) => [uid, flags]), [[1, 0], [3, Flag.Flagged]]);
  assert.ok(vanished.includes(4) && !vanished.includes(3), 'the message after the backup is gone, and its uid is never used again');
  assert.deepEqual(inbox.state().keywords, ['todo']);
  assert.ok(again.currentSessionEpoch() > account.sessionEpoch);
  assert.deepEqual([again.folderRights('Work/Plans').own.map(({ allow }) => allow), storage.ownersGranting('bob@example.com')], [['lr'], [address]]);
  const [kept] = storage.care.folders();
  assert.ok(kept !== undefined);
  assert.deepEqual((await checkStorage(kept, quiet)).findings, []);
  const second = await restore(storage, { folder: backups.folder, name: 'b' });
  assert.deepEqual([second.account, second.mailboxes.map(({ messages }) => messages)], ['there', second.mailboxes.map(() => 0)], 'a second run adds nothing');
});

test('Into an account that is in use come only what it lacks: lost mail under new UIDs, a deleted mailbox under its old ones; nothing that is there changes', async (t) => {
  const storage = await temporaryStorage(t);
  const account = await storage.createAccount(address);
  await account.createMailbox('Work');
  await account.createMailbox('Other');
  await account.changeRights('Other', 'bob@example.com', (before) => ({ ...before, allow: 'lr' }));
  await put(storage, 'INBOX', 'stays', 'deleted', 'moved');
  await put(storage, 'Work', 'w1', 'w2');
  await put(storage, 'Other', 'o1');
  await mailboxOf(account, 'Work').copyTo([1], mailboxOf(account)); // w1 is in both
  const backups = backupsOf(t);
  await backups.make(storage, 'b');
  const inbox = mailboxOf(account);
  const work = mailboxOf(account, 'Work').state();
  await inbox.changeFlags([1], { mode: 'add', flags: Flag.Seen, keywords: [] });
  await inbox.moveTo([2], mailboxOf(account, 'Trash'));
  await inbox.moveTo([3], mailboxOf(account, 'Sent'));
  await inbox.expunge([4]);
  await put(storage, 'Work', 'w3');
  await account.deleteMailbox('Work');
  await account.deleteMailbox('Other');
  await account.createMailbox('Other');
  await account.deleteMailbox('Other'); // so a later UIDVALIDITY was given under that name

  const one = await restore(storage, { folder: backups.folder, name: 'b' }, 'Work');
  assert.deepEqual(one.mailboxes.map(({ name, how, messages }) => [name, how, messages]), [['Work', 'as-it-was', 2]]);
  assert.deepEqual(await subjectsIn(storage, 'Work'), ['1 w1', '2 w2']);
  const revived = mailboxOf(account, 'Work').state();
  assert.deepEqual([revived.uidValidity, revived.uidNext], [work.uidValidity, 4], 'w3 had UID 3');

  const { mailboxes } = await restore(storage, { folder: backups.folder, name: 'b' });
  assert.deepEqual(mailboxes.filter(({ messages }) => messages > 0).map(({ name, how, messages }) => [name, how, messages]), [['INBOX', 'filled', 2], ['Other', 'anew', 1]]);
  assert.deepEqual([account.folderRights('Other').own.map(({ who, allow }) => [who, allow]), storage.ownersGranting('bob@example.com')], [[['bob@example.com', 'lr']], [address]]);
  assert.deepEqual(await subjectsIn(storage, 'INBOX'), ['1 stays', '5 deleted', '6 w1'], 'what was moved to a folder is not doubled; a copy in one does not count');
  assert.deepEqual(await wronglyKept(account), []);
  assert.equal(inbox.row(1)?.flags, Flag.Seen);
  await assert.rejects(restore(storage, { folder: backups.folder, name: 'b' }, 'Nothing'), (error) => isFailure(error, 'mailbox-missing'));
  await assert.rejects(restore(storage, { folder: backups.folder, name: 'none' }), (error) => isFailure(error, 'bad-input'));
  const [kept] = storage.care.folders();
  assert.ok(kept !== undefined);
  assert.deepEqual((await checkStorage(kept, quiet)).findings, []);
});

test('Mail that the backup itself has not whole is named and left out, the rest comes', async (t) => {
  const storage = await temporaryStorage(t);
  await storage.createAccount(address);
  await put(storage, 'INBOX', 'one', 'two');
  const backups = backupsOf(t);
  await backups.make(storage, 'b');
  const packs = join(backups.folder, 'b', 'storage-1', 'packs');
  const [pack = ''] = readdirSync(packs);
  const bytes = readFileSync(join(packs, pack));
  bytes.writeUInt8(bytes.readUInt8(bytes.indexOf('Subject: one') + 10) ^ 1, bytes.indexOf('Subject: one') + 10);
  writeFileSync(join(packs, pack), bytes);
  const other = await temporaryStorage(t);
  const { mailboxes } = await restore(other, { folder: backups.folder, name: 'b' });
  assert.deepEqual(mailboxes.filter(({ damaged }) => damaged.length > 0).map(({ name, damaged, messages }) => [name, damaged, messages]), [['INBOX', [1], 1]]);
  assert.deepEqual(await subjectsIn(other, 'INBOX'), ['2 two']);
});

test('An account that may hold more than others comes back with its limits, its own and those of the directory', async (t) => {
  const storage = await temporaryStorage(t, { quota: { bytes: 3000, messages: 1 } });
  const backups = backupsOf(t);
  await storage.createAccount(address);
  await storage.lives.setLimits(address, { bytes: 1_000_000 });
  await storage.lives.learnLimits(address, { messages: 50 });
  const account = accountOf(storage);
  for (const name of ['INBOX', 'INBOX', 'Sent']) await deliver({ storage, account, mailbox: mailboxOf(account, name) }, sampleMessage('long', 2000));
  const before = account.quota();
  await backups.make(storage, 'monday');
  await storage.lives.withdraw(address, 'deleted');
  await storage.lives.purge(address);
  await restore(storage, { folder: backups.folder, name: 'monday' });
  assert.deepEqual(accountOf(storage).quota(), before);
  assert.deepEqual(storage.lives.summary(address)?.ownLimits, { bytes: 1_000_000 });
});
