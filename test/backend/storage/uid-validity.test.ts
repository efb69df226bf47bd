/** UIDVALIDITY of a name grows, whatever becomes of its mailbox and account (RFC 9051 section 2.3.1.1). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyChanges } from '../../../backend/account-move/copy.ts';
import { localSource } from '../../../backend/account-move/local-source.ts';
import type { Account, Storage } from '../../../backend/storage/storage.ts';
import { mailboxOf, temporaryStorage } from './harness.ts';

const address = 'alice@example.com';

async function move(from: Storage, to: Storage): Promise<Account> {
  const { leaving } = from.transfers;
  const { arriving } = to.transfers;
  const { id, epoch } = leaving.snapshot(address);
  await arriving.begin(address, { from: 'be1', id, epoch: epoch + 1, holder: '' });
  await copyChanges({ source: localSource('be1', from), arriving, address, onRows: () => undefined });
  await leaving.hold(address, { token: 'be2/1', forMs: 60_000 });
  await arriving.complete(address, leaving.snapshot(address));
  await leaving.seal(address, { token: 'be2/1', node: 'be2', epoch: epoch + 1 });
  await arriving.activate(address);
  const record = to.find(address);
  assert.ok(record.at === 'live');
  return record.account;
}

/** Of a mailbox of that name that is made now. */
async function made(account: Account, name: string): Promise<number> {
  await account.createMailbox(name);
  return mailboxOf(account, name).state().uidValidity;
}

test('A mailbox that is made under a name that had one before has a higher UIDVALIDITY, also at a node that has made fewer mailboxes than the one that the account came from', async (t) => {
  const [from, to] = [await temporaryStorage(t), await temporaryStorage(t, { nodeName: 'be2' })];
  const account = await from.createAccount(address);
  for (let count = 0; count < 20; count += 1) await account.createMailbox(`other ${String(count)}`); // each takes a span of 128 seconds, ahead of the clock
  const [work, old] = [await made(account, 'Work'), await made(account, 'Old')];
  await account.deleteMailbox('Old');

  const there = await move(from, to);
  assert.equal(mailboxOf(there, 'Work').state().uidValidity, work);
  await there.deleteMailbox('Work');
  assert.ok((await made(there, 'Work')) > work);
  assert.ok((await made(there, 'Old')) > old, 'of a name whose mailbox was gone before');
  await there.createMailbox('renamed');
  await there.deleteMailbox('Work');
  await there.renameMailbox('renamed', 'Work');
  assert.ok(mailboxOf(there, 'Work').state().uidValidity > work);
});
