/** Messages that enter a mailbox in lots are seen there all at once or never, whatever ends before; nothing of what came to nothing stays. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkStorage, compactStorage, keysUnder, openStorage, rebuildIndex } from '../../../backend/storage/storage.ts';
import type { Account, Storage } from '../../../backend/storage/storage.ts';
import { isFailure } from '../../../shared/base/failure.ts';
import { createLog } from '../../../shared/log/log.ts';
import type { Logger } from '../../../shared/log/log.ts';
import { bytesOf, deliver, mailboxOf, quietLog, sampleMessage, storageOptions, temporaryDirectory, temporaryStorage } from './harness.ts';
import { eventually } from '../../harness/people.ts';
import { enterLot } from './lot.ts';

const alice = 'alice@example.com';

async function findings(storage: Storage): Promise<readonly unknown[]> {
  const [folder] = storage.care.folders();
  assert.ok(folder !== undefined);
  return (await checkStorage(folder, { report: () => undefined, signal: new AbortController().signal })).findings;
}

/** What it is told as errors. */
function listeningLog(): { readonly log: Logger; readonly told: unknown[] } {
  const told: unknown[] = [];
  const error = ({ err }: { readonly err: unknown }): void => void told.push(err);
  return { log: Object.assign(createLog({ node: 'be1', level: 'silent' }), { error }), told };
}

function liveAccount(storage: Storage, address = alice): Account {
  const record = storage.find(address);
  assert.ok(record.at === 'live');
  return record.account;
}

test('Lots are seen by nobody until they are shown, and then all of them at one mod-sequence, under uids without a gap', async (t) => {
  const storage = await temporaryStorage(t);
  const account = await storage.createAccount(alice);
  const inbox = mailboxOf(account);
  await deliver({ storage, account, mailbox: inbox }, sampleMessage('before'));
  const [before, names, bytes] = [inbox.state(), account.mailboxes().map(({ name }) => name), account.quota().bytes];
  const lots = inbox.lots();
  await enterLot({ storage, address: alice }, lots, ['one', 'two']);
  await enterLot({ storage, address: alice }, lots, ['three']);
  assert.deepEqual(inbox.state(), before);
  assert.deepEqual(account.mailboxes().map(({ name }) => name), names);
  assert.equal(account.quota().messages, 4, 'what lies there takes room');
  assert.deepEqual(await findings(storage), []);
  assert.deepEqual(storage.transfers.leaving.snapshot(alice).mailboxes.map(({ name }) => name).sort(), [...names].sort(), 'nor does it move');
  const shown = await lots.show();
  assert.deepEqual(shown.uids, [2, 3, 4]);
  const rows = inbox.rows().slice(1);
  assert.deepEqual(new Set(rows.map(({ modseq }) => modseq)), new Set([before.highestModseq + 1]));
  assert.deepEqual(await bytesOf(inbox, 4), sampleMessage('three'));
  assert.deepEqual(inbox.state().keywords, ['$Copied']);
  assert.deepEqual([account.quota().messages, account.quota().bytes], [4, bytes + ['one', 'two', 'three'].reduce((sum, subject) => sum + sampleMessage(subject).length, 0)], 'counted once');
  assert.deepEqual(await findings(storage), []);
});

test('Lots that are given up, or whose account begins to move, leave the mailbox as it was, down to the next uid', async (t) => {
  const storage = await temporaryStorage(t);
  const account = await storage.createAccount(alice);
  const inbox = mailboxOf(account);
  const before = inbox.state();
  const lots = inbox.lots();
  await enterLot({ storage, address: alice }, lots, ['one', 'two']);
  await lots.forget(quietLog);
  assert.deepEqual([inbox.state(), account.quota().messages, account.quota().bytes], [before, 0, 0]);
  const second = inbox.lots();
  await enterLot({ storage, address: alice }, second, ['one']);
  await storage.transfers.leaving.hold(alice, { token: 'be2/1', forMs: 60_000 });
  assert.deepEqual([account.quota().messages, account.quota().bytes], [0, 0]);
  await assert.rejects(second.show(), { kind: 'in-use' });
  await storage.transfers.leaving.release(alice, 'be2/1');
  await assert.rejects(enterLot({ storage, address: alice }, second, ['two']), { kind: 'in-use' });
  await assert.rejects(second.show(), { kind: 'in-use' });
  await second.forget(quietLog);
  assert.deepEqual([inbox.state(), account.quota().messages], [before, 0]);
  assert.deepEqual(await findings(storage), []);
});

test('Lots that can not be taken away when they are given up, as the storage is locked, are taken away later, and count for quota no more', async (t) => {
  const storage = await temporaryStorage(t);
  const account = await storage.createAccount(alice);
  const lots = mailboxOf(account).lots();
  await enterLot({ storage, address: alice }, lots, ['one', 'two']);
  const [folder] = storage.care.folders();
  await folder?.environment.lock(Date.now() + 300_000);
  const { log, told } = listeningLog();
  await lots.forget(log);
  assert.deepEqual(told.map((error) => isFailure(error, 'in-use')), [true]);
  assert.equal(account.quota().messages, 2);
  await folder?.environment.unlock();
  await eventually(async () => Promise.resolve(account.quota().messages === 0));
  assert.deepEqual(await findings(storage), []);
});

test('Lots that a fault keeps from being taken away are not tried for ever: the log is told once, by the try that met the fault', async (t) => {
  const directory = temporaryDirectory(t);
  const storage = await openStorage(storageOptions(directory));
  t.after(async () => storage.close());
  const account = await storage.createAccount(alice);
  const lots = [mailboxOf(account).lots(), mailboxOf(account).lots()];
  for (const one of lots) await enterLot({ storage, address: alice }, one, ['one']);
  const [folder] = storage.care.folders();
  await folder?.environment.lock(Date.now() + 300_000);
  const { log, told } = listeningLog();
  await lots[0]?.forget(log);
  assert.deepEqual(told.splice(0).map((error) => isFailure(error, 'in-use')), [true]);
  await folder?.environment.unlock();
  await folder?.environment.write(() => {
    const table = folder.environment.table('lots');
    for (const { key } of table.range(keysUnder([]))) table.put(key, Buffer.from('no record'));
  });
  await lots[1]?.forget(log);
  await eventually(async () => Promise.resolve(told.length === 2));
  assert.ok(told.every((error) => error instanceof SyntaxError), 'the first of them by its second try, the second by its first');
  await sleep(2500);
  assert.equal(told.length, 2);
});

test('A damaged record of lots keeps none of the others from being taken away, and the log is told', async (t) => {
  const directory = temporaryDirectory(t);
  const storage = await openStorage(storageOptions(directory));
  t.after(async () => storage.close());
  const account = await storage.createAccount(alice);
  const inbox = mailboxOf(account);
  for (let number = 0; number < 3; number += 1) await enterLot({ storage, address: alice }, inbox.lots(), ['one']);
  const [folder] = storage.care.folders();
  assert.ok(folder !== undefined);
  const { environment } = folder;
  await environment.write(() => {
    const table = environment.table('lots');
    const [first, ...others] = table.range(keysUnder([]));
    assert.ok(first !== undefined && others.length === 2);
    table.put(first.key, Buffer.from('no record'));
    for (const { key, value } of others) table.put(key, Buffer.from(JSON.stringify({ ...JSON.parse(value.toString()) as object, process: '0:of-a-process-that-ended' })));
  });
  const { log, told } = listeningLog();
  await (await openStorage({ ...storageOptions(directory), log })).close();
  assert.deepEqual([told.length, told[0] instanceof SyntaxError], [1, true]);
  assert.equal(account.quota().messages, 1, 'only what the damaged record tells of is left');
});

test('A process that is killed between two lots leaves nothing of them: who opens the storage next takes them away, but never those of one that lives', async (t) => {
  const directory = temporaryDirectory(t);
  const storage = await openStorage(storageOptions(directory));
  t.after(async () => storage.close());
  const account = await storage.createAccount(alice);
  await deliver({ storage, account, mailbox: mailboxOf(account) }, sampleMessage('before'));
  const [before, quota] = [mailboxOf(account).state(), account.quota()];
  const child = fork(join(import.meta.dirname, 'lots-process.ts'), [directory, alice]);
  await once(child, 'message');
  await storage.removeBrokenLots();
  assert.equal(account.quota().messages, 4, 'they are of a process that lives');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await storage.lives.rename(alice, 'alicia@example.com', 'dropped');
  await (await openStorage(storageOptions(directory))).close();
  const after = liveAccount(storage, 'alicia@example.com');
  assert.deepEqual([mailboxOf(after).state(), after.quota()], [before, quota]);
  assert.deepEqual(await findings(storage), []);
  await deliver({ storage, account: after, mailbox: mailboxOf(after) }, sampleMessage('after'));
  assert.deepEqual(mailboxOf(after).uids(), [1, 2], 'no uid was used up');
});

test('Lots whose pack is compacted are noted for the mailbox that they are for: an index made anew from the packs has them there', async (t) => {
  const directory = temporaryDirectory(t);
  const quiet = { report: () => undefined, signal: new AbortController().signal };
  const writer = await openStorage(storageOptions(directory));
  const account = await writer.createAccount(alice);
  const work = await account.createMailbox('Work');
  for (let number = 1; number <= 20; number += 1) await deliver({ storage: writer, account, mailbox: work }, sampleMessage('gone', 4000));
  await enterLot({ storage: writer, address: alice }, work.lots(), ['one']);
  await work.expunge(work.uids());
  await writer.close();
  const storage = await openStorage(storageOptions(directory)); // those of a process that lives stay
  const [folder] = storage.care.folders();
  assert.ok(folder !== undefined);
  assert.equal((await compactStorage(folder, { ...quiet, deadPercent: 50, bytesPerSecond: 2 ** 30 })).messages, 1);
  await storage.removeDeadPacks(0);
  await storage.close();
  await rebuildIndex(directory, quiet);
  const again = await openStorage(storageOptions(directory));
  t.after(async () => again.close());
  await again.care.settle(alice, { owner: 'this-node' });
  const found = liveAccount(again).mailboxes().filter(({ messages }) => messages > 0);
  assert.deepEqual(found.map(({ name, messages }) => [name, messages]), [['Work', 1]]);
});
