/** What becomes of an account's record and mail when it is renamed, withdrawn, brought back and removed. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Account, Storage } from '../../../backend/storage/storage.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import type { FailureKind } from '../../../shared/base/failure.ts';
import { temporaryStorage } from './harness.ts';

async function withMessage(storage: Storage, address: string): Promise<Account> {
  const account = await storage.createAccount(address);
  await account.setPasswordHash('{CLEARTEXT}secret');
  const inbox = account.mailbox('INBOX');
  const staged = await account.stage(source(`Subject: of ${address}\r\n\r\nHello.\r\n`), 10_000);
  await inbox?.append([{ staged, marks: { flags: 4, keywords: ['kept'] } }]);
  await staged.discard();
  return account;
}

async function* source(text: string): AsyncGenerator<Buffer> {
  yield await Promise.resolve(Buffer.from(text));
}

function stateOf(account: Account): object {
  return { id: account.id, quota: account.quota(), mailboxes: account.mailboxes(), rows: account.mailbox('INBOX')?.rows(), password: account.passwordHash() };
}

function live(storage: Storage, address: string): Account {
  const record = storage.find(address);
  assert.ok(record.at === 'live', `${address} is ${record.at}`);
  return record.account;
}

async function refused(work: Promise<unknown>, kind: FailureKind): Promise<void> {
  await assert.rejects(work, (error) => isFailure(error, kind));
}

test('renamed: everything is the same under the new address; who has it open under the old one is told, and can write no more', async (t) => {
  const storage = await temporaryStorage(t, { nodeName: 'be1' });
  const opened = await withMessage(storage, 'old@example.com');
  const before = stateOf(opened);
  await storage.lives.addAlias('old@example.com', 'other@example.com');
  await storage.lives.rename('old@example.com', 'new@example.com', 'kept');
  assert.deepEqual(stateOf(live(storage, 'new@example.com')), before);
  assert.equal(storage.find('old@example.com').at, 'none');
  assert.equal(opened.standing(), 'gone');
  await refused(opened.createMailbox('Late'), 'not-kept-here');
  for (const alias of ['old@example.com', 'other@example.com']) assert.deepEqual(storage.lives.localName(alias), { kind: 'alias', account: 'new@example.com' });
  await storage.lives.rename('new@example.com', 'old@example.com', 'dropped');
  assert.equal(storage.lives.localName('new@example.com'), undefined);
  assert.deepEqual(live(storage, 'old@example.com').aliases(), ['other@example.com']);
  await withMessage(storage, 'somebody@example.com');
  await refused(storage.lives.rename('old@example.com', 'somebody@example.com', 'kept'), 'mailbox-exists');
  await refused(storage.lives.addAlias('old@example.com', 'somebody@example.com'), 'mailbox-exists');
});

test('withdrawn and brought back whole; removed for good only when it is withdrawn, and then a new account of that name is empty', async (t) => {
  const storage = await temporaryStorage(t, { nodeName: 'be1' });
  const opened = await withMessage(storage, 'ann@example.com');
  const before = stateOf(opened);
  await refused(storage.lives.purge('ann@example.com'), 'forbidden');
  await storage.lives.withdraw('ann@example.com', 'deleted');
  assert.equal(opened.standing(), 'gone');
  assert.deepEqual(storage.addresses(), []);
  await refused(opened.createMailbox('Late'), 'unknown-user');
  await refused(storage.createAccount('ann@example.com'), 'mailbox-exists');
  await refused(storage.lives.rename('ann@example.com', 'new@example.com', 'kept'), 'unknown-user');
  await storage.lives.restore('ann@example.com');
  assert.deepEqual(stateOf(live(storage, 'ann@example.com')), before);
  await storage.lives.addAlias('ann@example.com', 'a@example.com');
  await storage.lives.withdraw('ann@example.com', 'deleted');
  await storage.lives.purge('ann@example.com');
  assert.deepEqual(storage.lives.list(), []);
  assert.equal(storage.lives.localName('a@example.com'), undefined);
  assert.equal((await storage.createAccount('ann@example.com')).quota().messages, 0);
});

test('A hold that was over when the account was changed is gone with that change: a clock that is set back does not bring it back to life', async (t) => {
  const storage = await temporaryStorage(t);
  const [folder] = storage.care.folders();
  for (const change of [async () => storage.lives.setTerms('a@example.com', { status: 'disabled' }), async () => storage.lives.rename('a@example.com', 'b@example.com', 'dropped')]) {
    await storage.createAccount('a@example.com');
    await storage.transfers.leaving.hold('a@example.com', { token: 'be2/1', forMs: 1 });
    await sleep(5);
    await change();
    const [address = ''] = storage.addresses();
    const entry = folder?.environment.read(() => folder.environment.table('accounts').get([address]));
    assert.ok(entry !== undefined && !entry.includes('be2/1'), String(change));
  }
});
