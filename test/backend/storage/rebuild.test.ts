/** An index that is made anew from the packs alone: what was delivered is there again, what is lost is named, and nobody opens an account before it is settled whose it is. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import type { Holders } from '../../../backend/accounts/holders.ts';
import { settleAll } from '../../../backend/accounts/settling.ts';
import type { SettlingOptions } from '../../../backend/accounts/settling.ts';
import { Flag, compactStorage, rebuildIndex } from '../../../backend/storage/storage.ts';
import type { Storage } from '../../../backend/storage/storage.ts';
import { Failure } from '../../../shared/base/failure.ts';
import { createLog } from '../../../shared/log/log.ts';
import { packWith } from './damage.ts';
import { check, filled, inStorage, liveOf, quiet } from './filled-storage.ts';
import { takeInventory } from '../../../backend/storage/repair/pack-inventory.ts';
import { bytesOf, deliver, inPieces, mailboxOf, realMessages, sampleMessage, temporaryDirectory, wronglyKept } from './harness.ts';

const log = createLog({ node: 'be1', level: 'silent' });

/** What a directory and other nodes say of accounts by the first letter of their names; of others, that they are this node's. */
const outside = {
  entries: new Map([['c', undefined], ['e', 'be2']]),
  holders: new Map([['b', ['be2']]]),
  silent: new Map([['a', ['be3']], ['f', ['be3']]]),
};

async function settle(storage: Storage): Promise<void> {
  const initial = (address: string): string => address.slice(0, 1);
  const lookUp = async (address: string): ReturnType<SettlingOptions['accounts']['lookUp']> => {
    if (address.startsWith('d')) throw new Failure('directory-unavailable', 'the directory is away');
    const mailHost = outside.entries.has(initial(address)) ? outside.entries.get(initial(address)) : 'be1';
    if (address.startsWith('f')) return Promise.resolve({ address, mailHost: undefined, dn: undefined, map: 'test', aliases: [], routingAddress: undefined });
    return Promise.resolve(mailHost === undefined ? undefined : { address, mailHost, dn: undefined, map: 'test', aliases: [], routingAddress: undefined });
  };
  const holders = async (address: string): Promise<Holders> => Promise.resolve({ holders: outside.holders.get(initial(address)) ?? [], unsettled: [], named: new Map(), away: [], silent: outside.silent.get(initial(address)) ?? [] });
  await settleAll({ storage, log, nodeName: 'be1', maps: { covers: () => true }, accounts: { lookUp, nodeOf: (mailHost) => mailHost }, holders }, new AbortController().signal);
}

test('All that was delivered is back in its mailbox, byte for byte, with the marks of then; the account is held until it is settled', async (t) => {
  const directory = await filled(t);
  rmSync(join(directory, 'index'), { recursive: true });
  const report = await rebuildIndex(directory, quiet);
  assert.deepEqual([report.accounts, report.messages, report.unplaced, report.lost, report.before], [2, 28, 0, [], undefined]);
  await inStorage(directory, async (storage) => {
    assert.equal(liveOf(storage, 'alice@example.com').standing(), 'held');
    await assert.rejects(mailboxOf(liveOf(storage, 'alice@example.com')).expunge([1]), { kind: 'in-use' });
    await settle(storage);
    const alice = liveOf(storage, 'alice@example.com');
    assert.equal(alice.standing(), 'live');
    const inbox = mailboxOf(alice);
    assert.deepEqual(inbox.state().keywords, ['blue']);
    for (const [index, { bytes }] of realMessages().slice(0, 12).entries()) {
      assert.deepEqual(await bytesOf(inbox, index + 1), bytes);
      const { flags, keywords, internalDateMs } = inbox.row(index + 1) ?? {};
      assert.deepEqual([flags, keywords, internalDateMs], [1, 1, 1_600_000_000_000]);
    }
    assert.deepEqual(await bytesOf(mailboxOf(alice, 'Work/Bridge'), 1), sampleMessage('big', 400_000));
    assert.deepEqual(await wronglyKept(alice), []);
    assert.deepEqual(await check(storage), []);
    assert.deepEqual(readdirSync(directory).filter((name) => name.startsWith('scratch')), []);
    await deliver({ storage, account: alice, mailbox: inbox }, sampleMessage('new'));
  });
});

test('A message whose mailbox was renamed while it came in is back where it was put: in the mailbox of the new name', async (t) => {
  const directory = temporaryDirectory(t);
  await inStorage(directory, async (storage) => {
    const alice = await storage.createAccount('alice@example.com');
    const found = await alice.createMailbox('Old').then(() => mailboxOf(alice, 'Old'));
    const staged = await alice.stage(inPieces(sampleMessage('slow'), 1000), 1_000_000);
    await alice.renameMailbox('Old', 'New');
    await sleep(150); // of what follows at once the name is not looked up again
    await found.append([{ staged, marks: { flags: 0, keywords: [] } }]);
    await staged.discard();
    assert.equal(mailboxOf(alice, 'New').state().messages, 1);
  });
  rmSync(join(directory, 'index'), { recursive: true });
  assert.equal((await rebuildIndex(directory, quiet)).messages, 1);
  await inStorage(directory, async (storage) => {
    const alice = liveOf(storage, 'alice@example.com');
    assert.deepEqual(alice.mailboxes().map(({ name, messages }) => [name, messages]).filter(([name]) => name === 'Old' || name === 'New'), [['New', 1]]);
  });
});

test('Of copies no note is written: the message comes back once, where it was delivered', async (t) => {
  const directory = temporaryDirectory(t);
  await inStorage(directory, async (storage) => {
    const alice = await storage.createAccount('alice@example.com');
    await deliver({ storage, account: alice, mailbox: mailboxOf(alice) }, sampleMessage('one'));
    await mailboxOf(alice).copyTo([1], mailboxOf(alice, 'Sent'));
  });
  rmSync(join(directory, 'index'), { recursive: true });
  assert.equal((await rebuildIndex(directory, quiet)).messages, 1);
  await inStorage(directory, async (storage) => assert.deepEqual(['INBOX', 'Sent'].map((name) => mailboxOf(liveOf(storage, 'alice@example.com'), name).state().messages), [1, 0]));
});

test('What compaction has copied comes back once, where the compaction found it', async (t) => {
  const directory = await filled(t);
  await inStorage(directory, async (storage) => {
    const alice = liveOf(storage, 'alice@example.com');
    const trash = mailboxOf(alice, 'Trash');
    await mailboxOf(alice).moveTo([1], trash);
    await trash.changeFlags(trash.uids(), { mode: 'replace', flags: Flag.Flagged, keywords: [] });
    await mailboxOf(alice).expunge([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    const [kept] = storage.care.folders();
    assert.ok(kept !== undefined);
    assert.ok((await compactStorage(kept, { ...quiet, deadPercent: 5, bytesPerSecond: 2 ** 30 })).packs > 0);
    await storage.removeDeadPacks(Infinity); // the old pack is there still
  });
  const before = readdirSync(join(directory, 'packs')).length;
  await rebuildIndex(directory, quiet);
  await inStorage(directory, async (storage) => {
    await settle(storage);
    const alice = liveOf(storage, 'alice@example.com');
    assert.deepEqual(mailboxOf(alice, 'Trash').rows().map(({ flags }) => flags), [Flag.Flagged], 'where it had been moved, with its flags of then');
    assert.equal(mailboxOf(alice, 'Work/Bridge').rows().length, 1, 'once');
    assert.equal(mailboxOf(alice).rows().length, 12, 'what was expunged is back, what was moved is not');
    assert.deepEqual(await check(storage), []);
    assert.equal(readdirSync(join(directory, 'packs')).length, before);
  });
});

test('Of a large message, in a pack of its own, is known where it belongs also when all small ones that came with it are gone', async (t) => {
  const directory = temporaryDirectory(t);
  const bytes = sampleMessage('large', 400_000);
  await inStorage(directory, async (storage) => {
    const account = await storage.createAccount('alice@example.com');
    await deliver({ storage, account, mailbox: mailboxOf(account) }, sampleMessage('small'));
    await deliver({ storage, account, mailbox: mailboxOf(account, 'Sent') }, bytes, { flags: 4, keywords: ['blue'], internalDateMs: 1_600_000_000_000 });
  });
  await inStorage(directory, async (storage) => {
    await mailboxOf(liveOf(storage, 'alice@example.com')).expunge([1]);
    assert.equal(await storage.removeDeadPacks(0), 1);
  });
  rmSync(join(directory, 'index'), { recursive: true });
  await rebuildIndex(directory, quiet);
  await inStorage(directory, async (storage) => {
    const sent = mailboxOf(liveOf(storage, 'alice@example.com'), 'Sent');
    assert.deepEqual(sent.rows().map(({ uid, flags, internalDateMs }) => ({ uid, flags, internalDateMs })), [{ uid: 1, flags: 4, internalDateMs: 1_600_000_000_000 }]);
    assert.deepEqual(await bytesOf(sent, 1), bytes);
  });
});

test('What the packs have lost is named, what follows the damage is found, and a message without its note is in Lost and found', async (t) => {
  const directory = await filled(t);
  const { path, bytes } = packWith(directory, 'Subject: gone');
  const at = bytes.indexOf('Subject: gone');
  bytes.fill(0, at - 70, at + 50); // the head of the record before the body, and some of the body
  const note = bytes.lastIndexOf('"mailbox":"INBOX"'); // zoe's last
  bytes.writeUInt8(0x58, note + 3);
  writeFileSync(path, bytes);
  const report = await rebuildIndex(directory, quiet);
  assert.equal(report.unplaced, 1);
  assert.ok(report.before !== undefined && statSync(report.before).size > 0, 'the index of before is kept');
  assert.deepEqual(report.lost.map(({ kind, account, mailbox }) => [kind, account, mailbox]).filter(([kind]) => kind === 'message-missing'), [['message-missing', 'alice@example.com', 'INBOX']]);
  assert.equal(report.damagedPacks.length, 1);
  await inStorage(directory, async (storage) => {
    await settle(storage);
    assert.equal(mailboxOf(liveOf(storage, 'zoe@example.com'), 'Lost and found').rows().length, 1);
    assert.equal(mailboxOf(liveOf(storage, 'alice@example.com')).rows().length, 12);
    assert.deepEqual(await check(storage), []);
  });
});

test('A pack that is torn at any byte of its last records gives all records before, and what is torn is damage, never mail', async (t) => {
  const directory = temporaryDirectory(t);
  await inStorage(directory, async (storage) => {
    const account = await storage.createAccount('alice@example.com');
    for (const subject of ['one', 'two']) await deliver({ storage, account, mailbox: mailboxOf(account) }, sampleMessage(subject, 200));
  });
  const shared = packWith(directory, 'Subject: two');
  const [, , last = 0, note = 0] = recordStarts(shared.bytes);
  assert.ok(last > 0 && note > last, 'a message and its note, twice');
  for (let end = shared.bytes.length - 1; end >= last; end -= 1) {
    truncateSync(shared.path, end);
    const { messages, notes, damage } = await takeInventory(directory, quiet);
    const isCut = end !== note && end !== last;
    assert.deepEqual([messages.size, notes.length, damage.length], [end >= note ? 2 : 1, 1, isCut ? 1 : 0], `cut at ${String(end)}`);
  }
});

test('A message that was streamed, so that its length stands behind it, is found whole or not at all', async (t) => {
  const directory = temporaryDirectory(t);
  await inStorage(directory, async (storage) => {
    const account = await storage.createAccount('alice@example.com');
    const staged = await account.stage(inPieces(sampleMessage('streamed', 300_000)), 2 ** 20);
    await staged.discard();
  });
  const streamed = packWith(directory, 'Subject: streamed');
  assert.equal((await takeInventory(directory, quiet)).messages.size, 1);
  for (const end of [streamed.bytes.length - 1, streamed.bytes.length - 64, streamed.bytes.length - 65, 60, 33, 32]) {
    truncateSync(streamed.path, end);
    const { messages, damage } = await takeInventory(directory, quiet);
    assert.deepEqual([messages.size, damage.length], [0, end === 32 ? 0 : 1], `cut at ${String(end)}`);
  }
});

function recordStarts(bytes: Buffer): readonly number[] {
  const starts: number[] = [];
  for (let at = bytes.indexOf('WBR1'); at >= 0; at = bytes.indexOf('WBR1', at + 1)) starts.push(at);
  return starts;
}

test('It is settled whose each account is: of this node, of another that has it, of nobody; what nobody can tell stays held', async (t) => {
  const directory = temporaryDirectory(t);
  const names = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'].map((name) => `${name}@example.com`);
  await inStorage(directory, async (storage) => {
    for (const address of names) {
      const account = await storage.createAccount(address);
      await deliver({ storage, account, mailbox: mailboxOf(account) }, sampleMessage('hello'));
    }
  });
  await rebuildIndex(directory, quiet);
  await inStorage(directory, async (storage) => {
    assert.deepEqual(storage.care.unsettled(), names);
    await settle(storage);
    assert.equal(liveOf(storage, 'alice@example.com').standing(), 'live');
    assert.deepEqual(storage.find('bob@example.com'), { at: 'moved', node: 'be2', epoch: 2 });
    assert.equal(storage.find('carol@example.com').at, 'withdrawn');
    for (const address of names.slice(3)) assert.equal(liveOf(storage, address).standing(), 'held', address);
    assert.deepEqual(storage.care.unsettled(), names.slice(3));
  });
});
