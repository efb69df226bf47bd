/** The repair of a storage: whatever the check finds is mended or named, no bytes go, and a second run has nothing to do. */
import assert from 'node:assert/strict';
import { renameSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { checkStorage, openStorage } from '../../../backend/storage/storage.ts';
import type { Account, Finding, RepairReport, Storage } from '../../../backend/storage/storage.ts';
import { change, inIndex, json, packWith } from './damage.ts';
import type { Change } from './damage.ts';
import { bytesOf, deliver, mailboxOf, sampleMessage, storageOptions, temporaryDirectory, wronglyKept } from './harness.ts';

const quiet = { report: () => undefined, signal: new AbortController().signal };

interface Filled {
  readonly directory: string;
  readonly storage: Storage;
  readonly alice: Account;
  readonly bob: Account;
}

/** Alice: a1 a2 a3 in INBOX, a1 in Drafts too. Bob: b1 b2. Each account has a pack of its own. */
async function filled(t: TestContext): Promise<Filled> {
  const directory = temporaryDirectory(t);
  for (const [address, subjects] of [['alice@example.com', ['a1', 'a2', 'a3']], ['bob@example.com', ['b1', 'b2']]] as const) {
    const writer = await openStorage(storageOptions(directory));
    const account = await writer.createAccount(address);
    for (const [index, subject] of subjects.entries()) await deliver({ storage: writer, account, mailbox: mailboxOf(account) }, sampleMessage(subject, 2000, `Message-ID: <${subject}@example.com>\r\n`), { flags: 4, internalDateMs: 1_700_000_000_000 + index * 1000 });
    if (address.startsWith('alice')) await mailboxOf(account).copyTo([1], mailboxOf(account, 'Drafts'));
    await writer.close();
  }
  const storage = await openStorage(storageOptions(directory));
  t.after(async () => storage.close());
  return { directory, storage, alice: liveOf(storage, 'alice@example.com'), bob: liveOf(storage, 'bob@example.com') };
}

function liveOf(storage: Storage, address: string): Account {
  const record = storage.find(address);
  assert.ok(record.at === 'live');
  return record.account;
}

async function repair({ storage, directory }: Filled, lost: 'keep' | 'remove' = 'keep'): Promise<RepairReport> {
  return storage.care.repair(directory, { ...quiet, lost });
}

async function findings({ storage }: Filled): Promise<readonly Finding[]> {
  const [kept] = storage.care.folders();
  assert.ok(kept !== undefined);
  return (await checkStorage(kept, quiet)).findings;
}

/** All messages of the account: mailbox, subject by its bytes, flags. */
async function mailOf(account: Account): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { name } of account.mailboxes()) {
    const mailbox = mailboxOf(account, name);
    for (const { uid, flags } of mailbox.rows()) found.push(`${name} ${/Subject: (\S+)/.exec((await bytesOf(mailbox, uid)).toString())?.[1] ?? '?'} ${String(flags)}`);
  }
  return found.sort();
}

const aliceMail = ['Drafts a1 4', 'INBOX a1 4', 'INBOX a2 4', 'INBOX a3 4'];
const isAlicesInbox = (value: Buffer): boolean => (JSON.parse(value.toString()) as { readonly messages: number }).messages === 3;

/** Faults of the index, each with what of alice's mail is where after the repair. */
const cases: readonly { readonly what: string; readonly table: string; readonly to: Change; readonly after?: readonly string[] }[] = [
  { what: 'a message that the index has lost', table: 'messages', to: () => 'remove' },
  { what: 'a wrong count of references', table: 'messages', to: (value) => { value.writeUInt32LE(7, 0); return value; } },
  { what: 'a structure that is lost', table: 'structures', to: () => 'remove' },
  { what: 'header fields of another message', table: 'header-fields', to: (value) => Buffer.from(value.toString('latin1').replace('Subject: a', 'Subject: x'), 'latin1') },
  { what: 'a wrong counter', table: 'mailboxes', to: (value) => (isAlicesInbox(value) ? json(value, () => ({ unseen: 99, bytes: 1 })) : undefined) },
  { what: 'a UIDNEXT that is too low', table: 'mailboxes', to: (value) => (isAlicesInbox(value) ? json(value, () => ({ uidNext: 1 })) : undefined) },
  { what: 'sessions that were told of messages to come', table: 'mailboxes', to: (value) => (isAlicesInbox(value) ? json(value, () => ({ recentFrom: 99 })) : undefined) },
  { what: 'a HIGHESTMODSEQ that is too low', table: 'mailboxes', to: (value) => (isAlicesInbox(value) ? json(value, () => ({ highestModseq: 0 })) : undefined) },
  { what: 'a mailbox of no account', table: 'mailboxes', to: (value) => (isAlicesInbox(value) ? json(value, () => ({ account: 77 })) : undefined) },
  { what: 'a wrong charge', table: 'accounts', to: (value) => json(value, () => ({ bytes: 1 })) },
  { what: 'a name that is lost', table: 'names', to: (_value, key) => (key[1] === 'INBOX' ? 'remove' : undefined) },
  { what: 'a grant that nobody is told of', table: 'mailboxes', to: (value) => (isAlicesInbox(value) ? json(value, () => ({ rights: [{ who: 'bob@example.com', allow: 'lr', deny: '', scope: 'folder' }] })) : undefined) },
  { what: 'changes that are not told', table: 'recent', to: () => 'remove' },
  { what: 'a change of flags that is told twice', table: 'mailboxes', to: (value) => (isAlicesInbox(value) ? json(value, () => ({ flagRecords: [[4, 1, -1, 1, -1, 0, 1, 2], [4, 1, -1, 8, -1, 0, 1, 1]] })) : undefined), after: ['Drafts a1 4', 'INBOX a1 5', 'INBOX a2 5', 'INBOX a3 4'] },
  { what: 'a wrong counter beside a change of flags', table: 'mailboxes', to: (value) => (isAlicesInbox(value) ? json(value, () => ({ flagRecords: [[4, 1, -1, 1, -1, 0, 1, 3]] })) : undefined), after: ['Drafts a1 4', 'INBOX a1 5', 'INBOX a2 5', 'INBOX a3 4'] },
  { what: 'rows out of order', table: 'rows', to: (value) => (value.length > 56 ? Buffer.concat([value.subarray(56, 112), value.subarray(0, 56), value.subarray(112)]) : undefined) },
  { what: 'rows that are lost', table: 'rows', to: (value) => (value.length > 56 ? 'remove' : undefined), after: ['Drafts a1 4', 'Lost and found a2 0', 'Lost and found a3 0'] },
  { what: 'a mailbox that is lost', table: 'mailboxes', to: (value) => (isAlicesInbox(value) ? 'remove' : undefined) },
  { what: 'a wrong count of what lives in a pack', table: 'packs', to: (value, key) => (typeof key[0] === 'number' ? json(value, () => ({ liveBytes: 1 })) : undefined) },
  { what: 'a pack that the index has lost', table: 'packs', to: (_value, key) => (typeof key[0] === 'number' ? 'remove' : undefined) },
];

test('Whatever is wrong with the index is mended, all mail is there, and a second run has nothing to do', async (t) => {
  for (const { what, table, to, after = aliceMail } of cases) {
    const all = await filled(t);
    await change(all.directory, table, to);
    const report = await repair(all);
    assert.ok(report.found > 0, what);
    assert.deepEqual({ what, left: report.left }, { what, left: [] }, JSON.stringify(report.mended));
    assert.deepEqual(await findings(all), [], what);
    assert.deepEqual(await mailOf(liveOf(all.storage, 'alice@example.com')), after, what);
    assert.deepEqual(await wronglyKept(liveOf(all.storage, 'alice@example.com')), [], what);
    assert.deepEqual(await mailOf(all.bob), ['INBOX b1 4', 'INBOX b2 4'], what);
    assert.deepEqual(await repair(all), { directory: all.directory, found: 0, mended: [], left: [] }, what);
    const { uids } = await deliver({ storage: all.storage, account: liveOf(all.storage, 'alice@example.com'), mailbox: mailboxOf(liveOf(all.storage, 'alice@example.com')) }, sampleMessage('new'));
    assert.ok((uids[0] ?? 0) > mailboxOf(all.alice).rows().filter(({ uid }) => uid !== uids[0]).reduce((most, { uid }) => Math.max(most, uid), 0), what);
  }
});

test('A mailbox with more messages than a function may have arguments is mended, too', async (t) => {
  const all = await filled(t);
  const drafts = mailboxOf(all.alice, 'Drafts');
  while (drafts.state().messages < 131_000) await drafts.copyTo(drafts.uids(), drafts);
  const before = drafts.state();
  await change(all.directory, 'mailboxes', (value) => json(value, ({ name }) => (name === 'Drafts' ? { unseen: 5, uidNext: 7, highestModseq: 1 } : undefined)));
  const { left } = await repair(all);
  assert.deepEqual([left, drafts.state()], [[], before]);
});

test('HIGHESTMODSEQ is not below the removals that clients were told of, in a mailbox that has no message any more', async (t) => {
  const all = await filled(t);
  const trash = mailboxOf(all.alice, 'Trash');
  await mailboxOf(all.alice).copyTo([1, 2], trash);
  const { modseq } = await trash.expunge([1, 2]);
  await change(all.directory, 'mailboxes', (value) => json(value, ({ name, uidNext }) => (name === 'Trash' && Number(uidNext) > 1 ? { highestModseq: 1 } : undefined)));
  assert.deepEqual((await findings(all)).map(({ kind, mailbox }) => [kind, mailbox]), [['modseq-wrong', 'Trash']]);
  await repair(all);
  assert.equal(trash.state().highestModseq, modseq);
  assert.deepEqual(await findings(all), []);
});

test('Where changes of flags are forgotten that clients may have seen, they are told the flags of all messages of that mailbox anew', async (t) => {
  const all = await filled(t);
  await change(all.directory, 'mailboxes', (value) => (isAlicesInbox(value) ? json(value, () => ({ flagRecords: [[3, 1, -1, 1, -1, 0, 1, 1], [4, 1, -1, 8, -1, 0, 9, 2]], unseen: 2 })) : undefined));
  const [inbox, drafts] = [mailboxOf(all.alice), mailboxOf(all.alice, 'Drafts')];
  const [seen, draftsBefore] = [inbox.state().highestModseq, drafts.state()];
  assert.deepEqual((await findings(all)).map(({ kind }) => kind), ['changes-wrong'], 'what the sound one says is right');
  await repair(all);
  assert.deepEqual(inbox.changesSince(seen).changed.map(({ uid, flags }) => [uid, flags]), [[1, 5], [2, 4], [3, 4]]);
  assert.deepEqual([inbox.state().highestModseq, drafts.state()], [seen + 1, draftsBefore]);
});

test('A change of flags that is forgotten, as its mod-sequence is above that of its mailbox, is one that clients may have seen: what they are told is later, but for what can be none', async (t) => {
  for (const [ahead, modseqs] of [[5, 6], [2 ** 40, 1]] as const) {
    const all = await filled(t);
    const inbox = mailboxOf(all.alice);
    const before = inbox.state().highestModseq;
    await change(all.directory, 'mailboxes', (value) => (isAlicesInbox(value) ? json(value, () => ({ flagRecords: [[before + ahead, 3, -1, 1, -1, 0, 1, 3]] })) : undefined));
    const { mended } = await repair(all);
    assert.match(mended.map(({ text }) => text).join(), /; 1 change of flags that could not be read is forgotten,/);
    assert.deepEqual(inbox.rows().map(({ uid, flags, modseq }) => [uid, flags, modseq]), [1, 2, 3].map((uid) => [uid, 4, before + modseqs]));
    assert.equal(inbox.state().highestModseq, before + modseqs);
    assert.deepEqual(await findings(all), []);
  }
});

test('Mail whose bytes are gone is named with subject and Message-ID and kept in the list; asked for, it is taken out as by an expunge', async (t) => {
  const all = await filled(t);
  const { path } = packWith(all.directory, 'Subject: a1');
  renameSync(path, `${path}.away`);
  const named = await repair(all);
  assert.deepEqual(named.left.map(({ kind, account, mailbox, uid, subject, messageId }) => [kind, account, mailbox, uid, subject, messageId]).sort(), [
    ['pack-lost', 'alice@example.com', 'Drafts', 1, 'a1', '<a1@example.com>'],
    ...[1, 2, 3].map((uid) => ['pack-lost', 'alice@example.com', 'INBOX', uid, `a${String(uid)}`, `<a${String(uid)}@example.com>`]),
  ]);
  assert.equal(mailboxOf(all.alice).rows().length, 3, 'the pack may come back');
  const { modseq = 0 } = mailboxOf(all.alice).rows().at(-1) ?? {};
  const removed = await repair(all, 'remove');
  assert.deepEqual([removed.left, removed.mended.length], [[], 4]);
  assert.deepEqual(mailboxOf(all.alice).changesSince(modseq).vanished, [1, 2, 3]);
  assert.deepEqual(await findings(all), []);
  assert.deepEqual(all.alice.quota().messages, 0);
});

test('Mail that is not as it was written stays where it is and is named each time; what is cut is gone, what was before the cut is not', async (t) => {
  const all = await filled(t);
  const { path, bytes } = packWith(all.directory, 'Subject: a2');
  bytes.writeUInt8(bytes.readUInt8(bytes.indexOf('Subject: a2') + 300) ^ 4, bytes.indexOf('Subject: a2') + 300);
  writeFileSync(path, bytes);
  truncateSync(path, bytes.indexOf('Subject: a3') + 500);
  for (const lost of ['keep', 'keep'] as const) {
    assert.deepEqual((await repair(all, lost)).left.map(({ kind, mailbox, uid }) => [kind, mailbox, uid]), [['record-changed', 'INBOX', 2], ['record-torn', 'INBOX', 3]]);
  }
  const { left } = await repair(all, 'remove');
  assert.deepEqual(left.map(({ kind, uid }) => [kind, uid]), [['record-changed', 2]]);
  assert.deepEqual(mailboxOf(all.alice).rows().map(({ uid }) => uid), [1, 2]);
});

test('While a repair looks for the bytes of messages that the index has lost, no pack is removed as dead', async (t) => {
  const all = await filled(t);
  await inIndex(all.directory, 'messages', (table) => {
    for (const { key } of table.range({ from: [], to: ['\u{10ffff}\u{10ffff}'] })) table.remove(key);
  });
  const removals: Promise<number>[] = [];
  const { left } = await all.storage.care.repair(all.directory, { ...quiet, lost: 'keep', report: () => removals.push(all.storage.removeDeadPacks(0)) });
  assert.deepEqual([...new Set(await Promise.all(removals))], [0]);
  assert.deepEqual(left, []);
  assert.deepEqual(await mailOf(all.alice), aliceMail);
});

test('What an earlier version leaves in tables that it does not know, beside a newer one, is found and put right', async (t) => {
  const all = await filled(t);
  await all.alice.changeRights('INBOX', 'bob@example.com', (before) => ({ ...before, allow: 'lr' }));
  await change(all.directory, 'grants', () => Buffer.from('renamed@example.com'));
  await inIndex(all.directory, 'structure-texts', (table) => table.put([4711], Buffer.from('of a message that was expunged')));
  await inIndex(all.directory, 'header-fields', (table) => table.put([4712], Buffer.from('of a message that was expunged')));
  assert.deepEqual((await findings(all)).map(({ kind }) => kind).sort(), ['grants-wrong', 'left-over', 'left-over']);
  assert.deepEqual((await repair(all)).left, []);
  assert.deepEqual(await findings(all), []);
  assert.deepEqual(all.storage.ownersGranting('bob@example.com'), ['alice@example.com']);
});

test('Bytes of messages that came before an account was renamed are found for it', async (t) => {
  const all = await filled(t);
  await all.storage.lives.rename('alice@example.com', 'anna@example.com', 'dropped');
  await change(all.directory, 'messages', () => 'remove');
  await change(all.directory, 'header-fields', () => 'remove');
  assert.deepEqual((await repair(all)).left, []);
  assert.deepEqual(await mailOf(liveOf(all.storage, 'anna@example.com')), aliceMail);
  assert.deepEqual(await wronglyKept(liveOf(all.storage, 'anna@example.com')), []);
});
