/** Names of mailboxes: making, renaming, deleting, subscribing; numbers that clients rely on are never used again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { isFailure } from '../../../shared/base/failure.ts';
import type { FailureKind } from '../../../shared/base/failure.ts';
import type { Account, Storage } from '../../../backend/storage/storage.ts';
import { bytesOf, deliver, mailboxOf, recount, sampleMessage, temporaryStorage } from './harness.ts';

async function alice(t: TestContext): Promise<{ storage: Storage; account: Account }> {
  const storage = await temporaryStorage(t);
  return { storage, account: await storage.createAccount('alice@example.com') };
}

const names = (account: Account): string[] => account.mailboxes().map(({ name }) => name);
const failing = (kind: FailureKind) => (error: unknown): boolean => isFailure(error, kind);

test('A new account has the usual mailboxes, subscribed and with their special use', async (t) => {
  const { account } = await alice(t);
  assert.deepEqual(account.mailboxes().map(({ name, specialUses, subscribed }) => [name, ...specialUses, subscribed]), [
    ['INBOX', true], ['Drafts', '\\Drafts', true], ['Junk', '\\Junk', true], ['Sent', '\\Sent', true], ['Trash', '\\Trash', true],
  ]);
  assert.deepEqual(account.subscriptions(), ['INBOX', 'Drafts', 'Junk', 'Sent', 'Trash']);
  assert.equal(new Set(account.mailboxes().map(({ mailboxId }) => mailboxId)).size, 5);
});

test('Making a mailbox makes the levels above it; INBOX is found in any case and cannot be made', async (t) => {
  const { account } = await alice(t);
  await account.createMailbox('Projekte/2026/Frühling');
  assert.deepEqual(names(account).filter((name) => name.startsWith('Proj')), ['Projekte', 'Projekte/2026', 'Projekte/2026/Frühling']);
  assert.ok(account.mailbox('Projekte/2026/Fru\u0308hling'), 'another spelling of the same text');
  await account.createMailbox('😀');
  assert.ok(names(account).includes('😀'));
  await account.createMailbox('inbox/sub');
  assert.equal(account.mailbox('InBoX/sub')?.state().name, 'INBOX/sub');
  await assert.rejects(account.createMailbox('iNbOx'), failing('mailbox-exists'));
  await assert.rejects(account.createMailbox('Projekte'), failing('mailbox-exists'));
});

test('Names that could harm are refused', async (t) => {
  const { account } = await alice(t);
  for (const name of ['', '/', 'a//b', '/a', 'a/', 'a\u0000b', 'a\r\nb', 'a%', '*', 'x'.repeat(1001), 'a/'.repeat(40) + 'a', '\ud800']) {
    await assert.rejects(account.createMailbox(name), failing('bad-input'), JSON.stringify(name));
  }
  assert.equal(account.mailbox('x'.repeat(5000)), undefined);
  assert.equal(account.mailbox(''), undefined);
});

test('Renaming takes the levels below along and keeps ids, numbers, mail and subscriptions', async (t) => {
  const { storage, account } = await alice(t);
  const box = await account.createMailbox('old/deep');
  await account.setSubscribed('old/deep', 'yes');
  await deliver({ storage, account, mailbox: box }, sampleMessage('kept'));
  const before = box.state();
  await account.renameMailbox('old', 'new/place');
  const after = mailboxOf(account, 'new/place/deep').state();
  assert.deepEqual({ ...after, name: '' }, { ...before, name: '', subscribed: true });
  assert.equal(account.mailbox('old'), undefined);
  assert.ok(account.mailbox('new'));
  assert.deepEqual(account.subscriptions().filter((name) => name.includes('deep')), ['new/place/deep']);
  await assert.rejects(account.renameMailbox('new', 'new/below'), failing('bad-input'));
  await assert.rejects(account.renameMailbox('new', 'Sent'), failing('mailbox-exists'));
  await assert.rejects(account.renameMailbox('nowhere', 'x'), failing('mailbox-missing'));
  assert.deepEqual(await bytesOf(box, 1), sampleMessage('kept'));
});

test('Renaming INBOX moves its messages and leaves INBOX and the levels below it', async (t) => {
  const { storage, account } = await alice(t);
  await account.createMailbox('INBOX/below');
  const inbox = mailboxOf(account);
  for (const subject of ['one', 'two']) await deliver({ storage, account, mailbox: inbox }, sampleMessage(subject));
  await account.renameMailbox('inbox', 'archive/2026');
  assert.deepEqual([inbox.state().messages, mailboxOf(account, 'archive/2026').state().messages], [0, 2]);
  assert.equal(inbox.state().uidNext, 3);
  assert.ok(account.mailbox('INBOX/below'));
  assert.deepEqual(await bytesOf(mailboxOf(account, 'archive/2026'), 2), sampleMessage('two'));
});

test('Deleting a mailbox frees its use, keeps the levels below, and is refused for INBOX', async (t) => {
  const { storage, account } = await alice(t);
  const box = await account.createMailbox('a');
  await account.createMailbox('a/b');
  await deliver({ storage, account, mailbox: box }, sampleMessage('gone'));
  assert.equal(account.quota().messages, 1);
  await account.deleteMailbox('a');
  assert.deepEqual([account.quota().messages, account.quota().bytes], [0, 0]);
  assert.throws(() => box.state(), failing('mailbox-missing'));
  await assert.rejects(deliver({ storage, account, mailbox: box }, sampleMessage('late')), failing('mailbox-missing'));
  assert.ok(account.mailbox('a/b'));
  await assert.rejects(account.deleteMailbox('INBOX'), failing('forbidden'));
  await assert.rejects(account.deleteMailbox('a'), failing('mailbox-missing'));
});

test('A mailbox made again under an old name has a greater UIDVALIDITY, and its uids and mod-sequences go on', async (t) => {
  const { storage, account } = await alice(t);
  const seen = new Set<number>(account.mailboxes().map(({ uidValidity }) => uidValidity));
  let earlier = (await account.createMailbox('again')).state();
  for (let turn = 0; turn < 5; turn += 1) {
    const box = mailboxOf(account, 'again');
    await deliver({ storage, account, mailbox: box }, sampleMessage('x'));
    const last = box.state();
    await account.deleteMailbox('again');
    const fresh = (await account.createMailbox('again')).state();
    assert.ok(fresh.uidValidity > earlier.uidValidity && fresh.uidValidity < 2 ** 32);
    assert.ok(!seen.has(fresh.uidValidity));
    assert.notEqual(fresh.mailboxId, last.mailboxId);
    assert.ok(fresh.uidNext >= last.uidNext && fresh.highestModseq > last.highestModseq);
    seen.add(fresh.uidValidity);
    earlier = fresh;
  }
});

test('A mailbox renamed onto the name of a later, deleted one gets a UIDVALIDITY greater than that one had', async (t) => {
  const { account } = await alice(t);
  await account.createMailbox('first');
  const later = (await account.createMailbox('second')).state();
  await account.deleteMailbox('second');
  await account.renameMailbox('first', 'second');
  assert.ok(mailboxOf(account, 'second').state().uidValidity > later.uidValidity);
});

test('Subscriptions may name mailboxes that do not exist', async (t) => {
  const { account } = await alice(t);
  await account.setSubscribed('not/yet', 'yes');
  await account.setSubscribed('Sent', 'no');
  assert.deepEqual(account.subscriptions(), ['INBOX', 'Drafts', 'Junk', 'Trash', 'not/yet']);
  assert.equal(mailboxOf(account, 'Sent').state().subscribed, false);
  assert.equal((await account.createMailbox('not/yet')).state().subscribed, true);
});

test('Many mailboxes made at once all get their own numbers', async (t) => {
  const { account } = await alice(t);
  await Promise.all(Array.from({ length: 200 }, (_, index) => account.createMailbox(`many/${index}`)));
  const states = account.mailboxes();
  assert.equal(states.length, 206);
  for (const column of ['id', 'uidValidity', 'mailboxId'] as const) assert.equal(new Set(states.map((state) => state[column])).size, 206);
  assert.deepEqual(recount(mailboxOf(account, 'many/7')).messages, 0);
});
