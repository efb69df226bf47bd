/** Uids and sizes of a mailbox as one snapshot: right after whatever happened, remembered while no message comes or goes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mailbox } from '../../../backend/storage/storage.ts';
import { Flag } from '../../../backend/storage/storage.ts';
import { Dice } from '../../torture/dice.ts';
import { deliver, mailboxOf, sampleMessage, temporaryStorage } from './harness.ts';

function assertMeasured(mailbox: Mailbox): void {
  const rows = mailbox.rows();
  const { uidValidity, uids, sizes, bytes } = mailbox.measured();
  assert.deepEqual([...uids], rows.map(({ uid }) => uid));
  assert.deepEqual([...sizes], rows.map(({ size }) => size));
  assert.equal(bytes, rows.reduce((sum, { size }) => sum + size, 0));
  assert.equal(uidValidity, mailbox.state().uidValidity);
}

test('Uids and sizes are those of the rows, whether a mailbox is empty, dense or full of gaps, and after each arrival and removal', async (t) => {
  const storage = await temporaryStorage(t);
  const account = await storage.createAccount('alice@example.com');
  const inbox = mailboxOf(account);
  assertMeasured(inbox);
  for (const bytes of [300, 5000, 70_000]) await deliver({ storage, account, mailbox: inbox }, sampleMessage('one', bytes));
  assertMeasured(inbox);
  const dice = new Dice(20_261_127);
  for (let turn = 0; turn < 12; turn += 1) {
    const uids = inbox.uids();
    if (uids.length < 200) await inbox.copyTo(uids, inbox);
    assertMeasured(inbox);
    const share = dice.pick([2, 3, 20]);
    await inbox.expunge(inbox.uids().filter((_, index) => index > 3 && !dice.oneIn(share)));
    assertMeasured(inbox);
  }
  await inbox.expunge(inbox.uids());
  assertMeasured(inbox);
});

test('What was measured stays as it was for who has it, and is not read again where only flags have changed', async (t) => {
  const storage = await temporaryStorage(t);
  const account = await storage.createAccount('alice@example.com');
  const inbox = mailboxOf(account);
  for (const bytes of [300, 5000]) await deliver({ storage, account, mailbox: inbox }, sampleMessage('one', bytes));
  const before = inbox.measured();
  const kept = { uids: [...before.uids], sizes: [...before.sizes], bytes: before.bytes };
  await inbox.changeFlags(before.uids, { mode: 'add', flags: Flag.Seen, keywords: [] });
  assert.equal(inbox.measured().sizes, before.sizes);
  await inbox.expunge([before.uids[0] ?? 0]);
  await deliver({ storage, account, mailbox: inbox }, sampleMessage('two', 900));
  assertMeasured(inbox);
  assert.deepEqual({ uids: [...before.uids], sizes: [...before.sizes], bytes: before.bytes }, kept);
});
