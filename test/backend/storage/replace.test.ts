/** A message that takes another's place does so in one step, and only by what it is larger does the account grow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Flag, openStorage } from '../../../backend/storage/storage.ts';
import type { Account, AppendResult, Mailbox } from '../../../backend/storage/storage.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { bytesOf, deliver, inPieces, mailboxOf, recount, sampleMessage, storageOptions, temporaryDirectory, temporaryStorage } from './harness.ts';

async function replaceIn({ account, from, uid, into }: { readonly account: Account; readonly from: Mailbox; readonly uid: number; readonly into: Mailbox }, bytes: Buffer): Promise<AppendResult | undefined> {
  const staged = await account.stage(inPieces(bytes), 10 * 2 ** 20);
  try {
    return await from.replace(uid, { staged, marks: { flags: Flag.Draft, keywords: ['k'] } }, into);
  } finally {
    await staged.discard();
  }
}

test('The new message is there with all its marks when the old one is gone, in the same mailbox and in another, and counters follow', async (t) => {
  const storage = await temporaryStorage(t);
  const account = await storage.createAccount('alice@example.com');
  const inbox = mailboxOf(account);
  const sent = mailboxOf(account, 'Sent');
  for (const subject of ['one', 'two']) await deliver({ storage, account, mailbox: inbox }, sampleMessage(subject));
  const before = inbox.state().highestModseq;
  const second = sampleMessage('two, again', 3000);
  assert.deepEqual((await replaceIn({ account, from: inbox, uid: 2, into: inbox }, second))?.uids, [3]);
  const { changed, vanished } = inbox.changesSince(before);
  assert.deepEqual([changed.map(({ uid, flags, keywords, modseq }) => [uid, flags, keywords, modseq]), vanished], [[[3, Flag.Draft, 1, before + 1]], [2]]);
  assert.ok((await bytesOf(inbox, 3)).equals(second));
  assert.deepEqual((await replaceIn({ account, from: inbox, uid: 1, into: sent }, second))?.uids, [1]);
  assert.deepEqual([inbox.rows().map(({ uid }) => uid), sent.rows().map(({ uid }) => uid)], [[3], [1]]);
  for (const mailbox of [inbox, sent]) {
    const { messages, unseen, deleted, bytes } = mailbox.state();
    assert.deepEqual({ messages, unseen, deleted, bytes }, recount(mailbox));
  }
  assert.deepEqual([account.quota().messages, account.quota().bytes], [2, inbox.state().bytes + sent.state().bytes]);
});

test('What is gone is not replaced: nothing enters and nothing counts', async (t) => {
  const storage = await temporaryStorage(t);
  const account = await storage.createAccount('alice@example.com');
  const inbox = mailboxOf(account);
  await deliver({ storage, account, mailbox: inbox }, sampleMessage('one'));
  await inbox.expunge([1]);
  const before = inbox.state();
  assert.equal(await replaceIn({ account, from: inbox, uid: 1, into: inbox }, sampleMessage('two')), undefined);
  assert.deepEqual([inbox.state(), account.quota().messages], [before, 0]);
});

test('In a full account a message of the same size takes the place of another, and a larger one is refused without harm', async (t) => {
  const message = sampleMessage('draft', 2000);
  const storage = await temporaryStorage(t, { quota: { bytes: message.length, messages: 1 } });
  const account = await storage.createAccount('alice@example.com');
  const inbox = mailboxOf(account);
  await deliver({ storage, account, mailbox: inbox }, message);
  assert.deepEqual((await replaceIn({ account, from: inbox, uid: 1, into: inbox }, message))?.uids, [2]);
  await assert.rejects(replaceIn({ account, from: inbox, uid: 2, into: inbox }, Buffer.concat([message, message])), (error) => isFailure(error, 'over-quota'));
  assert.deepEqual([inbox.rows().map(({ uid }) => uid), account.quota().bytes], [[2], message.length]);
});

test('The key of a mailbox stays until it is dropped, through renaming and reopening, and no other mailbox gets it', async (t) => {
  const directory = temporaryDirectory(t);
  const first = await openStorage(storageOptions(directory));
  const account = await first.createAccount('alice@example.com');
  const made = await account.createMailbox('A');
  assert.equal(made.urlKey(), undefined);
  const keys = await Promise.all([made.ensureUrlKey(), made.ensureUrlKey()]);
  assert.deepEqual(keys[0], keys[1]);
  assert.equal(keys[0].length, 32);
  await account.renameMailbox('A', 'B');
  await first.close();
  const storage = await openStorage(storageOptions(directory));
  t.after(async () => storage.close());
  const found = storage.find('alice@example.com');
  assert.ok(found.at === 'live');
  const mailbox = mailboxOf(found.account, 'B');
  assert.deepEqual(mailbox.urlKey(), keys[0]);
  assert.equal((await found.account.createMailbox('A')).urlKey(), undefined);
  assert.notDeepEqual(await mailboxOf(found.account).ensureUrlKey(), keys[0]);
  await mailbox.dropUrlKey();
  assert.equal(mailbox.urlKey(), undefined);
  assert.notDeepEqual(await mailbox.ensureUrlKey(), keys[0]);
});
