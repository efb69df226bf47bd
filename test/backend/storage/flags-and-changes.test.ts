/** Flags, expunging, copying and moving: what changes, what is told of it later, and counters that stay exact. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { isFailure } from '../../../shared/base/failure.ts';
import { Flag } from '../../../backend/storage/storage.ts';
import type { Account, Mailbox, Storage } from '../../../backend/storage/storage.ts';
import { bytesOf, deliver, mailboxOf, recount, sampleMessage, temporaryStorage } from './harness.ts';

async function filled(t: TestContext, messages: number): Promise<{ storage: Storage; account: Account; inbox: Mailbox }> {
  const storage = await temporaryStorage(t);
  const account = await storage.createAccount('alice@example.com');
  const inbox = mailboxOf(account);
  for (let number = 1; number <= messages; number += 1) await deliver({ storage, account, mailbox: inbox }, sampleMessage(`message ${number}`));
  return { storage, account, inbox };
}

function assertCounted(...mailboxes: Mailbox[]): void {
  for (const mailbox of mailboxes) {
    const { messages, unseen, deleted, bytes } = mailbox.state();
    assert.deepEqual({ messages, unseen, deleted, bytes }, recount(mailbox));
  }
}

const noKeywords = { keywords: [] };

test('Flags and keywords are added, removed and replaced, and the counters follow', async (t) => {
  const { inbox } = await filled(t, 3);
  await inbox.changeFlags([1, 2], { mode: 'add', flags: Flag.Seen | Flag.Deleted, keywords: ['work'] });
  assert.equal(inbox.state().unseen, 1);
  assert.equal(inbox.state().deleted, 2);
  await inbox.changeFlags([1], { mode: 'remove', flags: Flag.Deleted, keywords: ['WORK', 'unknown'] });
  assert.deepEqual([inbox.row(1)?.flags, inbox.row(1)?.keywords], [Flag.Seen, 0]);
  assert.deepEqual(inbox.state().keywords, ['work'], 'removing does not make keywords');
  await inbox.changeFlags([2], { mode: 'replace', flags: Flag.Flagged, keywords: ['other'] });
  assert.deepEqual([inbox.row(2)?.flags, inbox.row(2)?.keywords], [Flag.Flagged, 2]);
  assertCounted(inbox);
});

test('A mailbox takes 32 keywords, the last as well as the first, and refuses the 33rd', async (t) => {
  const { inbox } = await filled(t, 2);
  const keywords = Array.from({ length: 32 }, (_, index) => `k${index}`);
  const { changed } = await inbox.changeFlags([1], { mode: 'add', flags: 0, keywords });
  assert.equal(changed[0]?.keywords, 0xffffffff);
  await assert.rejects(inbox.changeFlags([1], { mode: 'add', flags: Flag.Seen, keywords: ['one more'] }), (error) => isFailure(error, 'limit'));
  assert.equal(inbox.row(1)?.flags, 0, 'the refused change has left nothing behind');
  await inbox.changeFlags([1], { mode: 'remove', flags: 0, keywords: ['k31'] });
  assert.equal(inbox.row(1)?.keywords, 0x7fffffff);
});

test('A full list of keywords keeps no message from being copied or moved: what finds room is kept', async (t) => {
  const { account, inbox } = await filled(t, 2);
  const full = Array.from({ length: 31 }, (_, index) => `k${index}`);
  await account.createMailbox('Full');
  const target = mailboxOf(account, 'Full');
  await inbox.copyTo([1], target);
  await target.changeFlags([1], { mode: 'add', flags: 0, keywords: full });
  await inbox.changeFlags([1], { mode: 'replace', flags: Flag.Flagged, keywords: ['room', 'none'] });
  await inbox.changeFlags([2], { mode: 'add', flags: Flag.Seen, keywords: ['none', 'K30'] });
  assert.deepEqual((await inbox.copyTo([1], target)).uids, [2]);
  assert.deepEqual((await inbox.moveTo([1, 2], target)).uids, [3, 4]);
  const { keywords } = target.state();
  assert.deepEqual(keywords, [...full, 'room']);
  assert.deepEqual([2, 3, 4].map((uid) => target.row(uid)).map((row) => [row?.flags, keywords.filter((_, bit) => (((row?.keywords ?? 0) >>> bit) & 1) === 1)]), [[Flag.Flagged, ['room']], [Flag.Flagged, ['room']], [Flag.Seen, ['k30']]]);
  assertCounted(inbox, target);
});

test('A change that reaches no message makes no keyword, not even where there is no room for one', async (t) => {
  const { inbox } = await filled(t, 2);
  const [one = 0, two = 0] = inbox.rows().map(({ modseq }) => modseq);
  const keywords = Array.from({ length: 33 }, (_, index) => `k${index}`);
  const outcome = await inbox.changeFlags([1, 2], { mode: 'add', flags: 0, keywords, unchangedSince: one - 1 });
  assert.deepEqual([outcome.modified, outcome.keywords, outcome.modseq], [[1, 2], [], undefined]);
  await inbox.changeFlags([99], { mode: 'replace', flags: 0, keywords });
  assert.deepEqual(inbox.state().keywords, []);
  await assert.rejects(inbox.changeFlags([1, 2], { mode: 'add', flags: 0, keywords, unchangedSince: two - 1 }), (error) => isFailure(error, 'limit'));
});

test('Only real changes get a new mod-sequence, and UNCHANGEDSINCE refuses rows that changed later', async (t) => {
  const { inbox } = await filled(t, 2);
  const before = inbox.state().highestModseq;
  const first = await inbox.changeFlags([1], { mode: 'add', flags: Flag.Seen, ...noKeywords });
  assert.equal(first.changed[0]?.modseq, before + 1);
  const again = await inbox.changeFlags([1], { mode: 'add', flags: Flag.Seen, ...noKeywords });
  assert.equal(again.changed[0]?.modseq, before + 1);
  assert.equal(inbox.state().highestModseq, before + 1);
  const guarded = await inbox.changeFlags([1, 2, 77], { mode: 'add', flags: Flag.Flagged, ...noKeywords, unchangedSince: before });
  assert.deepEqual(guarded.modified, [1]);
  assert.deepEqual(guarded.changed.map((row) => row.uid), [2]);
});

test('changesSince tells what was added, changed and expunged after a mod-sequence', async (t) => {
  const { storage, account, inbox } = await filled(t, 150);
  const start = inbox.state().highestModseq;
  assert.deepEqual(inbox.changesSince(start), { changed: [], vanished: [], keywords: [] });
  await inbox.changeFlags([7], { mode: 'add', flags: Flag.Seen, ...noKeywords });
  const middle = (await inbox.expunge([3, 4, 5, 99, 3, 999])).modseq;
  await deliver({ storage, account, mailbox: inbox }, sampleMessage('late'));
  await inbox.expunge([8]);
  await inbox.changeFlags([9, 2], { mode: 'add', flags: Flag.Seen, ...noKeywords });
  const changes = inbox.changesSince(start);
  assert.deepEqual(changes.changed.map((row) => row.uid), [2, 7, 9, 151]);
  assert.deepEqual(changes.vanished, [3, 4, 5, 8, 99]);
  assert.deepEqual(inbox.changesSince(middle).vanished, [8]);
  assertCounted(inbox);
});

test('Expunging answers the uids that were there, and an expunge of nothing changes nothing', async (t) => {
  const { inbox } = await filled(t, 5);
  const { highestModseq } = inbox.state();
  assert.deepEqual((await inbox.expunge([2, 4, 9])).uids, [2, 4]);
  const after = inbox.state();
  assert.ok(after.highestModseq > highestModseq);
  assert.deepEqual(await inbox.expunge([2, 4, 9]), { uids: [], modseq: after.highestModseq });
  assert.equal(inbox.message(2), undefined);
  assert.deepEqual(inbox.rows().map((row) => row.uid), [1, 3, 5]);
  assert.deepEqual(inbox.rows(2, 4).map((row) => row.uid), [3]);
});

test('A copy shares id, thread, flags and dates; keywords keep their names', async (t) => {
  const { account, inbox } = await filled(t, 3);
  const sent = mailboxOf(account, 'Sent');
  await inbox.changeFlags([1], { mode: 'add', flags: 0, keywords: ['first'] });
  await inbox.changeFlags([2], { mode: 'add', flags: Flag.Flagged, keywords: ['second'] });
  const copied = await inbox.copyTo([2, 3, 9], sent);
  assert.deepEqual([copied.sourceUids, copied.uids, copied.uidValidity], [[2, 3], [1, 2], sent.state().uidValidity]);
  const [from, to] = [inbox.row(2), sent.row(1)];
  assert.ok(from && to);
  assert.deepEqual([to.messageId, to.threadId, to.flags, to.internalDateMs], [from.messageId, from.threadId, from.flags, from.internalDateMs]);
  assert.deepEqual(sent.state().keywords, ['second']);
  assert.equal(to.keywords, 1);
  assertCounted(inbox, sent);
  assert.equal(account.quota().messages, 5);
});

test('A move takes messages out of one mailbox and into the other in one step; bytes live until the last copy goes', async (t) => {
  const { account, inbox } = await filled(t, 4);
  const trash = mailboxOf(account, 'Trash');
  const { highestModseq } = inbox.state();
  const moved = await inbox.moveTo([2, 4], trash);
  assert.deepEqual([moved.sourceUids, moved.uids], [[2, 4], [1, 2]]);
  assert.deepEqual(inbox.changesSince(highestModseq).vanished, [2, 4]);
  assert.deepEqual(await bytesOf(trash, 1), sampleMessage('message 2'));
  assertCounted(inbox, trash);
  await trash.copyTo([1], inbox);
  await trash.expunge([1]);
  assert.deepEqual(await bytesOf(inbox, 5), sampleMessage('message 2'));
  assert.equal(account.quota().messages, 4);
});

test('Copying and moving within one mailbox give new uids', async (t) => {
  const { inbox } = await filled(t, 2);
  assert.deepEqual((await inbox.copyTo([1], inbox)).uids, [3]);
  assert.deepEqual((await inbox.moveTo([1, 2], inbox)).uids, [4, 5]);
  assert.deepEqual(inbox.rows().map((row) => row.uid), [3, 4, 5]);
  assert.deepEqual(await bytesOf(inbox, 5), sampleMessage('message 2'));
  assertCounted(inbox);
});

test('Messages cannot be copied to another account', async (t) => {
  const { storage, inbox } = await filled(t, 1);
  const bob = await storage.createAccount('bob@example.com');
  await assert.rejects(inbox.copyTo([1], mailboxOf(bob)), (error) => isFailure(error, 'bad-input'));
});

test('Replies find the thread of their message, whichever came first', async (t) => {
  const { storage, account, inbox } = await filled(t, 0);
  const send = async (fields: string): Promise<number | undefined> => {
    const { uids } = await deliver({ storage, account, mailbox: inbox }, sampleMessage('talk', 300, fields));
    return inbox.row(uids[0] ?? 0)?.threadId;
  };
  const question = await send('Message-ID: <q@example.com>\r\n');
  const answer = await send('Message-ID: <a@example.com>\r\nIn-Reply-To: <q@example.com>\r\n');
  const other = await send('Message-ID: <o@example.com>\r\n');
  const early = await send('Message-ID: <late-reply@example.com>\r\nReferences: <not-yet@example.com>\r\n');
  const late = await send('Message-ID: <not-yet@example.com>\r\n');
  assert.equal(question, answer);
  assert.notEqual(question, other);
  assert.equal(early, late);
  assert.notEqual(early, other);
});

test('Of messages that were marked as deleted those go whose mark was not taken away before', async (t) => {
  const { inbox } = await filled(t, 3);
  await inbox.changeFlags([1, 2], { mode: 'add', flags: Flag.Deleted, ...noKeywords });
  const unmarked = inbox.changeFlags([2], { mode: 'remove', flags: Flag.Deleted, ...noKeywords });
  const { uids } = await inbox.expunge([1, 2], 'deleted');
  await unmarked;
  assert.deepEqual(uids, [1]);
  assert.deepEqual(inbox.rows().map(({ uid }) => uid), [2, 3]);
  assert.deepEqual((await inbox.expunge([2, 3], 'deleted')).uids, []);
  assertCounted(inbox);
});
