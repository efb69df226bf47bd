/** Annotations: limits, whose they are, and where they go when mailboxes and accounts move or end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyChanges } from '../../../backend/account-move/copy.ts';
import { localSource } from '../../../backend/account-move/local-source.ts';
import { checkStorage, openEnvironment } from '../../../backend/storage/storage.ts';
import type { Account, AnnotationOutcome, AnnotationPlace, Storage } from '../../../backend/storage/storage.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { mailboxOf, temporaryStorage } from './harness.ts';

const address = 'alice@example.com';

function valuesOf(account: Account, place: AnnotationPlace): string[] {
  return account.annotations.of(place).map(({ entry, value }) => `${entry} ${String(value)}`);
}

async function set(account: Account, place: AnnotationPlace, values: Readonly<Record<string, string | undefined>>): Promise<AnnotationOutcome> {
  return account.annotations.set(place, { values: new Map(Object.entries(values).map(([entry, value]) => [entry, value === undefined ? undefined : Buffer.from(value)])) });
}

async function findingsOf(storage: Storage): Promise<readonly string[]> {
  const [kept] = storage.care.folders();
  assert.ok(kept !== undefined);
  return (await checkStorage(kept, { report: () => undefined, signal: new AbortController().signal })).findings.map(({ text }) => text);
}

function liveAccount(storage: Storage): Account {
  const record = storage.find(address);
  assert.ok(record.at === 'live');
  return record.account;
}

test('A place has a hundred annotations at most, an account four megabytes; what is too much changes nothing', async (t) => {
  const account = await (await temporaryStorage(t)).createAccount(address);
  const inbox = { mailbox: mailboxOf(account).id };
  await set(account, inbox, Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`/private/vendor/a/${String(index)}`, 'x'])));
  const version = account.annotations.version();
  await assert.rejects(set(account, inbox, { '/private/vendor/a/0': 'changed', '/private/comment': 'one more' }), (error) => isFailure(error, 'limit'));
  assert.deepEqual([account.annotations.version(), valuesOf(account, inbox).length, valuesOf(account, inbox)[0]], [version, 100, '/private/vendor/a/0 x']);
  await set(account, inbox, { '/private/vendor/a/0': undefined });
  await set(account, inbox, { '/private/comment': 'now it fits' });

  const long = 'x'.repeat(32 * 1024);
  const fill = async (mailbox: string, count: number): Promise<unknown> => set(account, { mailbox: mailboxOf(account, mailbox).id }, Object.fromEntries(Array.from({ length: count }, (_, index) => [`/private/vendor/b/${String(index)}`, long])));
  await fill('Sent', 100);
  await assert.rejects(fill('Trash', 30), (error) => isFailure(error, 'limit'));
  await fill('Trash', 20);
});

test('A mailbox counts changes of its annotations in its mod-sequence (RFC 7162 section 3.2), and not those of the account as a whole, or what is refused', async (t) => {
  const account = await (await temporaryStorage(t)).createAccount(address);
  const inbox = mailboxOf(account);
  const before = inbox.state().highestModseq;
  assert.equal((await set(account, { mailbox: inbox.id }, { '/private/comment': 'mine' })).modseq, before + 1);
  assert.equal((await set(account, { mailbox: 'account' }, { '/private/comment': 'all' })).modseq, undefined);
  await assert.rejects(set(account, { mailbox: inbox.id }, Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`/private/vendor/a/${String(index)}`, 'x']))), (error) => isFailure(error, 'limit'));
  assert.equal(inbox.state().highestModseq, before + 1);
  await set(account, { mailbox: inbox.id, guest: 'bob@example.com' }, { '/private/comment': undefined });
  assert.equal(inbox.state().highestModseq, before + 2);
});

test('Renaming INBOX, of whose annotations the new mailbox gets copies, does not let an account have more', async (t) => {
  const account = await (await temporaryStorage(t)).createAccount(address);
  const [owner, bob] = [{ mailbox: mailboxOf(account).id }, { mailbox: mailboxOf(account).id, guest: 'bob@example.com' }];
  const long = 'x'.repeat(32 * 1024);
  await set(account, owner, Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`/private/vendor/a/${String(index)}`, long])));
  await account.renameMailbox('INBOX', 'one');
  await assert.rejects(account.renameMailbox('INBOX', 'two'), (error) => isFailure(error, 'limit'));
  assert.deepEqual([account.mailbox('two'), valuesOf(account, owner).length, valuesOf(account, { mailbox: mailboxOf(account, 'one').id }).length], [undefined, 50, 50]);
  await set(account, owner, Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`/private/vendor/a/${String(index)}`, undefined])));
  await set(account, bob, { '/private/a': long, '/private/b': long });
  await assert.rejects(account.renameMailbox('INBOX', 'two'), (error) => isFailure(error, 'limit'), 'as a guest has too much then');
});

test('Private ones are for who set them, shared ones for all', async (t) => {
  const account = await (await temporaryStorage(t)).createAccount(address);
  const { id } = mailboxOf(account);
  await set(account, { mailbox: id }, { '/private/comment': 'the owner', '/shared/comment': 'all' });
  await set(account, { mailbox: id, guest: 'bob@example.com' }, { '/private/comment': 'bob' });
  assert.deepEqual(valuesOf(account, { mailbox: id }), ['/private/comment the owner', '/shared/comment all']);
  assert.deepEqual(valuesOf(account, { mailbox: id, guest: 'bob@example.com' }), ['/private/comment bob', '/shared/comment all']);
  assert.deepEqual(valuesOf(account, { mailbox: id, guest: 'carol@example.com' }), ['/shared/comment all']);
  assert.deepEqual([...(account.annotations.everywhere('carol@example.com').get(id)?.keys() ?? [])], ['/shared/comment']);
});

test('What others annotate for themselves takes nothing from the owner, and what one of them does nothing from the others', async (t) => {
  const account = await (await temporaryStorage(t)).createAccount(address);
  const { id } = mailboxOf(account);
  const entries = (count: number, value: string): Record<string, string> => Object.fromEntries(Array.from({ length: count }, (_, index) => [`/private/vendor/a/${String(index)}`, value]));
  const tooMany = (error: unknown): boolean => isFailure(error, 'limit');
  const bob = { mailbox: id, guest: 'bob@example.com' };
  await set(account, bob, entries(100, 'x'));
  await assert.rejects(set(account, bob, { '/private/comment': 'one more' }), tooMany);
  await set(account, { mailbox: id }, entries(100, 'x'));
  const long = 'x'.repeat(32 * 1024);
  await assert.rejects(set(account, { ...bob, mailbox: mailboxOf(account, 'Sent').id }, entries(4, long)), tooMany);
  for (let guest = 0; guest < 21; guest += 1) await set(account, { mailbox: mailboxOf(account, 'Sent').id, guest: `guest${String(guest)}@example.com` }, entries(3, long));
  await assert.rejects(set(account, { mailbox: id, guest: 'last@example.com' }, entries(3, long)), tooMany);
  await set(account, { mailbox: mailboxOf(account, 'Sent').id }, entries(100, long));
});

test('An account takes its annotations along to another node, and leaves nothing when it is removed', async (t) => {
  const [from, to] = [await temporaryStorage(t), await temporaryStorage(t, { nodeName: 'be2' })];
  await to.createAccount('somebody@example.com'); // so that numbers differ
  const account = await from.createAccount(address);
  await account.createMailbox('Work');
  await set(account, { mailbox: mailboxOf(account, 'Work').id }, { '/private/comment': 'of Work', '/shared/comment': 'for all' });
  await set(account, { mailbox: mailboxOf(account, 'Work').id, guest: 'bob@example.com' }, { '/private/comment': 'of bob' });
  await set(account, { mailbox: 'account' }, { '/private/vendor/a/b': 'of all' });

  const { leaving } = from.transfers;
  const { arriving } = to.transfers;
  const { id, epoch } = leaving.snapshot(address);
  await arriving.begin(address, { from: 'be1', id, epoch: epoch + 1, holder: '' });
  await copyChanges({ source: localSource('be1', from), arriving, address, onRows: () => undefined });
  await leaving.hold(address, { token: 'be2/1', forMs: 60_000 });
  await arriving.complete(address, JSON.parse(JSON.stringify(leaving.snapshot(address))) as ReturnType<typeof leaving.snapshot>);
  assert.equal(arriving.fingerprint(address), leaving.fingerprint(address));
  await leaving.seal(address, { token: 'be2/1', node: 'be2', epoch: epoch + 1 });
  await arriving.activate(address);

  const there = liveAccount(to);
  const work = mailboxOf(there, 'Work').id;
  assert.deepEqual(valuesOf(there, { mailbox: work }), ['/private/comment of Work', '/shared/comment for all']);
  assert.deepEqual(valuesOf(there, { mailbox: work, guest: 'bob@example.com' }), ['/private/comment of bob', '/shared/comment for all']);
  assert.deepEqual(valuesOf(there, { mailbox: 'account' }), ['/private/vendor/a/b of all']);
  assert.ok((await set(there, { mailbox: work }, { '/private/comment': 'anew' })).version > account.annotations.version());
  assert.notEqual(arriving.fingerprint(address), leaving.fingerprint(address), 'the value of an annotation is part of what is compared');

  await leaving.markVerified(address, epoch + 1);
  await leaving.removeLeft(address, epoch + 1);
  await to.lives.withdraw(address, 'deleted');
  await to.lives.purge(address);
  assert.deepEqual([await findingsOf(from), await findingsOf(to)], [[], []]);
});

test('A check tells of annotations whose mailbox is gone', async (t) => {
  const storage = await temporaryStorage(t);
  const account = await storage.createAccount(address);
  await account.createMailbox('Work');
  const { id } = mailboxOf(account, 'Work');
  await set(account, { mailbox: id }, { '/private/comment': 'of Work' });
  await account.deleteMailbox('Work');
  assert.deepEqual(await findingsOf(storage), []);
  const [folder] = storage.care.folders();
  assert.ok(folder !== undefined);
  const index = openEnvironment(folder.environment.path);
  t.after(async () => index.close());
  await index.write(() => index.table('annotations').put([1, id, '', '/private/comment'], Buffer.alloc(8)));
  assert.deepEqual(await findingsOf(storage), [`annotations of account 1, mailbox ${String(id)} that is not there`]);
});
