/** How far sessions were told of a mailbox: what is \Recent to the next (RFC 3501 section 2.3.2), through late writes, restarts, older versions, moves, backups. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyChanges } from '../../../backend/account-move/copy.ts';
import { localSource } from '../../../backend/account-move/local-source.ts';
import { openStorage } from '../../../backend/storage/storage.ts';
import type { Account, Storage } from '../../../backend/storage/storage.ts';
import { backupsOf } from './backups.ts';
import { change, inIndex, json } from './damage.ts';
import { deliver, mailboxOf, sampleMessage, storageOptions, temporaryDirectory } from './harness.ts';

const address = 'alice@example.com';

async function fill(storage: Storage, messages: number): Promise<Account> {
  const account = await storage.createAccount(address);
  for (let count = 0; count < messages; count += 1) await deliver({ storage, account, mailbox: mailboxOf(account) }, sampleMessage(`m${String(count)}`));
  return account;
}

const recentIn = (account: Account, name = 'INBOX'): number => mailboxOf(account, name).state().recentFrom;

async function writtenIn(directory: string): Promise<unknown> {
  let written: unknown;
  await inIndex(directory, 'mailboxes', (table) => {
    for (const { value } of table.range({ from: [], to: ['\u{10ffff}'] })) {
      const { messages, recentFrom } = JSON.parse(value.toString()) as { readonly messages: number; readonly recentFrom?: number };
      if (messages > 0) written = recentFrom;
    }
  });
  return written;
}

test('Telling counts in this process at once, and is written along with the next change, by itself after a while, or when the storage closes; it never goes back', async (t) => {
  const directory = temporaryDirectory(t);
  const storage = await openStorage(storageOptions(directory));
  const account = await fill(storage, 3);
  const inbox = mailboxOf(account);
  const { highestModseq } = inbox.state();
  assert.equal(recentIn(account), 1);
  const told = inbox.noteTold(3);
  assert.deepEqual([recentIn(account), await writtenIn(directory)], [3, 1]);
  await inbox.noteTold(4); // with the one that waits
  await inbox.noteTold(2);
  assert.deepEqual([recentIn(account), await writtenIn(directory)], [4, 1]);
  await mailboxOf(account, 'Drafts').expunge([1]);
  await told;
  assert.deepEqual([recentIn(account), await writtenIn(directory)], [4, 4]);
  await fill(storage, 2);
  await inbox.noteTold(5); // waits for its time
  assert.deepEqual([recentIn(account), await writtenIn(directory)], [5, 5]);
  const last = inbox.noteTold(6);
  assert.equal(inbox.state().highestModseq, highestModseq + 2, 'no change for who goes by mod-sequences');
  await storage.close();
  await last;
  assert.equal(await writtenIn(directory), 6);
  await inbox.noteTold(9); // nobody is there to write it
});

test('Of a mailbox that an older version filled nothing is recent until a message is added; a new one, and one that is made anew, begin with nothing told', async (t) => {
  const directory = temporaryDirectory(t);
  const storage = await openStorage(storageOptions(directory));
  t.after(async () => storage.close());
  const account = await fill(storage, 2);
  await change(directory, 'mailboxes', (value) => json(value, ({ messages }) => (messages === 2 ? { recentFrom: undefined } : undefined)));
  assert.equal(recentIn(account), 3);
  await mailboxOf(account).noteTold(3);
  await fill(storage, 1);
  assert.equal(recentIn(account), 3);
  await mailboxOf(account).copyTo([1, 2], mailboxOf(account, 'Junk'));
  await account.createMailbox('Work');
  await mailboxOf(account).copyTo([1, 2], mailboxOf(account, 'Work'));
  await mailboxOf(account, 'Work').noteTold(2);
  await account.renameMailbox('Work', 'Play');
  assert.deepEqual([recentIn(account, 'Junk'), recentIn(account, 'Play')], [1, 2]);
  await account.deleteMailbox('Play');
  await account.createMailbox('Play');
  assert.equal(recentIn(account, 'Play'), 3);
  await mailboxOf(account).copyTo([1], mailboxOf(account, 'Play'));
  assert.equal(recentIn(account, 'Play'), 3);
});

test('It goes along when the account moves, and into a backup and out of it; a late write meanwhile makes the copies no different', async (t) => {
  const from = await openStorage(storageOptions(temporaryDirectory(t)));
  const to = await openStorage(storageOptions(temporaryDirectory(t), { nodeName: 'be2' }));
  for (const storage of [from, to]) t.after(async () => storage.close());
  const account = await fill(from, 4);
  await account.createMailbox('Work');
  await mailboxOf(account).copyTo([1, 2, 3], mailboxOf(account, 'Work'));
  for (const name of ['INBOX', 'Work']) await mailboxOf(account, name).noteTold(3);
  const backups = backupsOf(t);
  await backups.make(from, 'b');
  await account.deleteMailbox('Work');
  await from.care.restore({ folder: backups.folder, name: 'b' }, { address, mailbox: 'Work', report: () => undefined, signal: new AbortController().signal });
  assert.equal(recentIn(account, 'Work'), 3);
  const { leaving } = from.transfers;
  const { arriving } = to.transfers;
  await arriving.begin(address, { from: 'be1', id: account.id, epoch: account.epoch + 1, holder: '' });
  await copyChanges({ source: localSource('be1', from), arriving, address, onRows: () => undefined });
  await leaving.hold(address, { token: 'be2/1', forMs: 60_000 });
  await arriving.complete(address, leaving.snapshot(address));
  await mailboxOf(account).noteTold(4);
  assert.equal(arriving.fingerprint(address), leaving.fingerprint(address));
  await leaving.seal(address, { token: 'be2/1', node: 'be2', epoch: account.epoch + 1 });
  await arriving.activate(address);
  const there = await to.createAccount(address);
  assert.deepEqual([recentIn(there), recentIn(there, 'Work')], [3, 3]);
});
