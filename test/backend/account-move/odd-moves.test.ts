/** Moves that go another way than the straight one: to where the account is, to two nodes at once, given up, cut off, refused, spoilt on the disk. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { copyChanges } from '../../../backend/account-move/copy.ts';
import { bringAccount } from '../../../backend/account-move/move.ts';
import { localSource } from '../../../backend/account-move/local-source.ts';
import { Failure } from '../../../shared/base/failure.ts';
import type { FailureKind } from '../../../shared/base/failure.ts';
import { mailboxOf, temporaryDirectory } from '../storage/harness.ts';
import { accountAt, put, startNodes, subjectsAt } from './nodes.ts';
import type { TestNodes } from './nodes.ts';

const alice = 'alice@example.com';

async function withMail(nodes: TestNodes, count: number): Promise<string[]> {
  await nodes.storages.be1.createAccount(alice);
  nodes.directory.set(alice, 'be1');
  const texts = Array.from({ length: count }, (_, index) => `mail ${String(index)}`);
  for (const text of texts) await put(nodes.storages.be1, alice, text);
  return texts;
}

function failing(kind: FailureKind, pattern = /./): (error: unknown) => boolean {
  return (error) => error instanceof Failure && error.kind === kind && pattern.test(error.message);
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 45_000; !(await isSo()); await sleep(20)) assert.ok(Date.now() < deadline, `waited in vain: ${what}`);
}

test('to where the account is already: nothing changes, and the directory is put right', async (t) => {
  const nodes = await startNodes(t);
  const texts = await withMail(nodes, 2);
  nodes.directory.set(alice, 'be3');
  const { epoch } = accountAt(nodes.storages.be1, alice);
  assert.match((await nodes.move(alice, 'be1')).join('\n'), /directory names be1 now[^]*lives on be1/);
  assert.deepEqual([accountAt(nodes.storages.be1, alice).epoch, nodes.directory.get(alice), await subjectsAt(nodes.storages.be1, alice)], [epoch, 'be1', texts]);
});

test('an address that nobody knows is an error; one without a mailbox yet is only named in the directory', async (t) => {
  const nodes = await startNodes(t);
  await assert.rejects(nodes.move('nobody@example.com', 'be2'), failing('unknown-user', /does not know/));
  nodes.directory.set('new@example.com', 'be1');
  await nodes.move('new@example.com', 'be2');
  assert.deepEqual([nodes.directory.get('new@example.com'), nodes.owners('new@example.com')], ['be2', []]);
});

test('two nodes take one account at once: one has it in the end, the other says so and leaves nothing unfinished', async (t) => {
  const nodes = await startNodes(t, { moves: { holdMs: 300 } });
  const texts = await withMail(nodes, 200);
  const ends = await Promise.allSettled([nodes.move(alice, 'be2'), nodes.move(alice, 'be3')]);
  const [owner = ''] = nodes.owners(alice);
  assert.deepEqual([nodes.owners(alice).length, ends.map(({ status }) => status).toSorted()], [1, ['fulfilled', 'rejected']]);
  const winner = owner === 'be2' ? 'be2' : 'be3';
  const loser = winner === 'be2' ? 'be3' : 'be2';
  assert.deepEqual(await subjectsAt(nodes.storages[winner], alice), texts);
  assert.match(ends.map((end) => (end.status === 'rejected' ? String(end.reason) : '')).join(''), new RegExp(`went to ${winner} meanwhile`));
  assert.deepEqual([nodes.storages[loser].find(alice).at, nodes.storages[loser].transfers.arriving.records()], ['moved', []]);
});

test('the same move asked for twice at once is one move', async (t) => {
  const nodes = await startNodes(t);
  await withMail(nodes, 100);
  const [one, other] = await Promise.all([nodes.move(alice, 'be2'), nodes.move(alice, 'be2')]);
  assert.deepEqual([one.at(-1), other.at(-1), accountAt(nodes.storages.be2, alice).epoch], [other.at(-1), one.at(-1), 2]);
});

test('a move that is given up leaves the account where it was, and sends whoever comes there', async (t) => {
  const nodes = await startNodes(t);
  const texts = await withMail(nodes, 300);
  let aborting: Promise<unknown> | undefined;
  const moving = nodes.move(alice, 'be2', { onEvent: ({ step }) => { if (step === 'begin') aborting ??= nodes.move(alice, 'be2', { wish: 'abort' }); } });
  await assert.rejects(moving, failing('unknown-user'));
  await aborting;
  assert.deepEqual([nodes.owners(alice), await subjectsAt(nodes.storages.be1, alice)], [['be1'], texts]);
  const record = nodes.storages.be2.find(alice);
  assert.ok(record.at === 'moved' && record.node === 'be1');
  await assert.rejects(nodes.move(alice, 'be2', { wish: 'abort' }), failing('unknown-user', /under way/));
  await nodes.move(alice, 'be3'); // and to another instead
  assert.deepEqual(await subjectsAt(nodes.storages.be3, alice), texts);
});

/** A move whose process died: a copy of what was there, and whatever `after` did. */
async function cutOff(nodes: TestNodes, after: 'copied' | 'ready' | 'sealed' | 'sealed too early'): Promise<void> {
  const { be1, be2 } = nodes.storages;
  const source = localSource('be1', be1);
  const { id } = await source.snapshot(alice);
  await be2.transfers.arriving.begin(alice, { from: 'be1', id, epoch: 2, holder: '' });
  await copyChanges({ source, arriving: be2.transfers.arriving, address: alice, onRows: () => undefined });
  if (after === 'sealed too early') await put(be1, alice, 'the delta');
  else if (after !== 'copied') await be2.transfers.arriving.complete(alice, await source.snapshot(alice));
  if (after === 'copied' || after === 'ready') return;
  await source.hold(alice, 'be2/1', 2000);
  await source.seal(alice, { token: 'be2/1', node: 'be2', epoch: 2 });
}

test('a whole copy whose move died can be given up; once the account was given away it can not', async (t) => {
  const nodes = await startNodes(t);
  await withMail(nodes, 3);
  await cutOff(nodes, 'ready');
  await nodes.move(alice, 'be2', { wish: 'abort' });
  assert.deepEqual([nodes.owners(alice), nodes.storages.be2.find(alice).at], [['be1'], 'moved']);
  await cutOff(nodes, 'sealed');
  await assert.rejects(nodes.move(alice, 'be2', { wish: 'abort' }), failing('forbidden', /given .* already/));
  await nodes.move(alice, 'be2');
  assert.deepEqual(nodes.owners(alice), ['be2']);
});

test('a sealed account whose copy lacks the last changes gets them before it goes live', async (t) => {
  const nodes = await startNodes(t);
  const texts = await withMail(nodes, 3);
  await cutOff(nodes, 'sealed too early');
  await nodes.move(alice, 'be2');
  assert.deepEqual(await subjectsAt(nodes.storages.be2, alice), [...texts, 'the delta']);
});

test('the target finishes a sealed move by itself: goes live, names itself in the directory, compares', async (t) => {
  const nodes = await startNodes(t);
  const texts = await withMail(nodes, 3);
  await cutOff(nodes, 'sealed');
  const tidying = nodes.moves.be2.startTidying();
  t.after(async () => tidying.stop(0));
  await until('it is compared', () => nodes.storages.be1.transfers.leaving.leftOf(alice) === 'verified');
  assert.deepEqual([nodes.owners(alice), nodes.directory.get(alice), await subjectsAt(nodes.storages.be2, alice)], [['be2'], 'be2', texts]);
  await until('nothing is left to do', () => nodes.storages.be2.transfers.arriving.came().length === 0);
});

test('a target that died right after it went live names itself in the directory and compares when it is back', async (t) => {
  const nodes = await startNodes(t);
  await withMail(nodes, 3);
  await cutOff(nodes, 'sealed');
  await nodes.storages.be2.transfers.arriving.activate(alice);
  const tidying = nodes.moves.be2.startTidying();
  t.after(async () => tidying.stop(0));
  await until('it is compared', () => nodes.storages.be1.transfers.leaving.leftOf(alice) === 'verified');
  assert.equal(nodes.directory.get(alice), 'be2');
});

test('a target whose disk is full refuses, the source goes on, and with room the move goes on too', async (t) => {
  const directory = temporaryDirectory(t);
  const nodes = await startNodes(t, { storage: { be2: { directories: [directory], reserveBytes: Number.MAX_SAFE_INTEGER } } });
  const texts = await withMail(nodes, 3);
  await assert.rejects(nodes.move(alice, 'be2'), failing('storage-full'));
  texts.push('afterwards');
  await put(nodes.storages.be1, alice, 'afterwards');
  assert.deepEqual([nodes.owners(alice), nodes.storages.be2.find(alice).at], [['be1'], 'none']);
  await nodes.move(alice, 'be3');
  assert.deepEqual(await subjectsAt(nodes.storages.be3, alice), texts);
});

test('an account over its quota moves as it is', async (t) => {
  const nodes = await startNodes(t, { storage: { be2: { quota: { bytes: 10, messages: 1 } } } });
  const texts = await withMail(nodes, 3);
  await nodes.move(alice, 'be2');
  assert.deepEqual(await subjectsAt(nodes.storages.be2, alice), texts);
  await assert.rejects(put(nodes.storages.be2, alice, 'more'), failing('over-quota'));
  assert.equal(accountAt(nodes.storages.be2, alice).quota().messages, 3);
});

test('a copy that was spoilt on the disk is found, named, and the original is kept and comes back', async (t) => {
  const directory = temporaryDirectory(t);
  const nodes = await startNodes(t, { storage: { be2: { directories: [directory] } }, moves: { keepLeftMs: 0 } });
  await withMail(nodes, 1);
  await put(nodes.storages.be1, alice, `spoilt ${'x'.repeat(5000)}`);
  await assert.rejects(nodes.move(alice, 'be2', { onEvent: ({ step }) => { if (step === 'delta') spoil(directory); } }), failing('storage-failure', /message 2 .* differs .* be1/));
  assert.equal(nodes.storages.be1.transfers.leaving.leftOf(alice), 'unverified');
  await assert.rejects(nodes.storages.be1.transfers.leaving.removeLeft(alice, 2), failing('forbidden'));
  await assert.rejects(nodes.move(alice, 'be1'), failing('storage-failure', /differs .* nothing was removed/));
  await assert.rejects(nodes.move(alice, 'be2', { purge: true }), failing('storage-failure'));
  assert.equal(nodes.storages.be1.transfers.leaving.leftOf(alice), 'unverified');
});

function spoil(directory: string): void {
  for (const name of readdirSync(join(directory, 'packs'))) {
    const bytes = readFileSync(join(directory, 'packs', name));
    const at = bytes.indexOf('xxxxxxxx');
    if (at < 0) continue;
    bytes[at] = 0x79;
    writeFileSync(join(directory, 'packs', name), bytes);
  }
}

test('what lies at the source is removed by --purge, or when it is old', async (t) => {
  const nodes = await startNodes(t, { moves: { keepLeftMs: 0 } });
  await withMail(nodes, 3);
  const purged = await nodes.move(alice, 'be2', { purge: true });
  assert.match(purged.join('\n'), /verify: 3 messages[^]*remove: /);
  assert.deepEqual(nodes.storages.be1.transfers.leaving.left(), []);
  await nodes.move(alice, 'be3');
  assert.equal(nodes.storages.be2.transfers.leaving.leftOf(alice), 'verified');
  const tidying = nodes.moves.be2.startTidying();
  t.after(async () => tidying.stop(0));
  await until('the old mail is removed', () => nodes.storages.be2.transfers.leaving.left().length === 0);
  assert.equal(mailboxOf(accountAt(nodes.storages.be3, alice)).state().messages, 3);
});

test('a change between two holds ends the first for good, even if the clock is set back', async (t) => {
  const nodes = await startNodes(t);
  await withMail(nodes, 1);
  const { leaving } = nodes.storages.be1.transfers;
  await leaving.hold(alice, { token: 'be2/1', forMs: 50 });
  await sleep(60);
  await put(nodes.storages.be1, alice, 'after the hold');
  t.mock.method(Date, 'now', () => performance.timeOrigin + performance.now() - 10_000);
  await assert.rejects(leaving.seal(alice, { token: 'be2/1', node: 'be2', epoch: 2 }), failing('timed-out'));
});

test('one change of very many messages is copied in small parts, and goes on where it was cut', async (t) => {
  const nodes = await startNodes(t);
  await withMail(nodes, 0);
  const { be1, be2 } = nodes.storages;
  const inbox = mailboxOf(accountAt(be1, alice));
  const bytes = Buffer.from('Subject: one of many\r\n\r\n');
  const many = await Promise.all(Array.from({ length: 300 }, async () => ({ staged: await accountAt(be1, alice).stage((async function* () { yield bytes; })(), 1000), marks: { flags: 0, keywords: [] } })));
  await inbox.append(many);
  await inbox.expunge([7, 8]);
  const asked: number[][] = [];
  const source = localSource('be1', be1);
  const watched = { ...source, messages: (address: string, ids: readonly number[]) => {
    if (asked.length === 1) throw new Failure('backend-unavailable', 'cut');
    asked.push([...ids]);
    return source.messages(address, ids);
  } };
  const move = { address: alice, node: 'be2', storage: be2, holdMs: 5000, tell: () => undefined };
  await assert.rejects(bringAccount({ ...move, source: watched }), failing('backend-unavailable'));
  await bringAccount({ ...move, source: { ...source, messages: (address, ids) => { asked.push([...ids]); return source.messages(address, ids); } } });
  assert.ok(asked.every(({ length }) => length <= 256), String(asked.map(({ length }) => length)));
  assert.equal(new Set(asked.flat()).size, asked.flat().length, 'a message came twice');
  assert.deepEqual(mailboxOf(accountAt(be2, alice)).rows(), inbox.rows());
});

test('a message that goes to another mailbox and comes back while its account is copied', async (t) => {
  const nodes = await startNodes(t);
  await withMail(nodes, 2);
  const { be1, be2 } = nodes.storages;
  const inbox = mailboxOf(accountAt(be1, alice));
  const other = await accountAt(be1, alice).createMailbox('Other');
  await cutOff(nodes, 'copied');
  await inbox.moveTo([1], other);
  await other.moveTo(other.rows().map(({ uid }) => uid), inbox);
  await bringAccount({ address: alice, node: 'be2', storage: be2, holdMs: 5000, tell: () => undefined, source: localSource('be1', be1) });
  assert.deepEqual(mailboxOf(accountAt(be2, alice)).rows(), inbox.rows());
  assert.deepEqual((await subjectsAt(be2, alice)).toSorted(), ['mail 0', 'mail 1']);
});

test('a copy that is not like the original, be it in one flag, is not given the account', async (t) => {
  const nodes = await startNodes(t);
  const texts = await withMail(nodes, 3);
  const { be1, be2 } = nodes.storages;
  const source = localSource('be1', be1);
  const lying = { ...source, changes: async (address: string, mailbox: number, since: number) => {
    const page = await source.changes(address, mailbox, since);
    return { ...page, rows: page.rows.map((row) => (row.uid === 2 ? { ...row, flags: row.flags ^ 1 } : row)) };
  } };
  await assert.rejects(bringAccount({ address: alice, node: 'be2', storage: be2, holdMs: 5000, tell: () => undefined, source: lying }), failing('storage-failure', /differs from the original/));
  assert.deepEqual([nodes.owners(alice), await subjectsAt(be1, alice), accountAt(be1, alice).standing()], [['be1'], texts, 'live']);
});

test('an account with a password of its own is finished after a cut behind the seal, and keeps it', async (t) => {
  const nodes = await startNodes(t);
  await withMail(nodes, 1);
  await accountAt(nodes.storages.be1, alice).setPasswordHash('{TEST}hash');
  await cutOff(nodes, 'sealed');
  await nodes.move(alice, 'be2');
  assert.equal(accountAt(nodes.storages.be2, alice).passwordHash(), '{TEST}hash');
});
