/** Changes of flags on many messages against a plain model: over blocks with gaps, uids in any order, masks, UNCHANGEDSINCE. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlagChange, MessageRow } from '../../../backend/storage/storage.ts';
import { Dice } from '../../torture/dice.ts';
import { deliver, mailboxOf, recount, sampleMessage, temporaryStorage } from './harness.ts';

const keywords = ['one', 'two', 'three'];

/** The row after the change, but for its mod-sequence. */
function modelled(row: MessageRow, { mode, flags, keywords: names, within }: FlagChange): Pick<MessageRow, 'flags' | 'keywords'> {
  const bits = names.reduce((sum, name) => sum | (1 << keywords.indexOf(name)), 0);
  const apply = (old: number, given: number, mask: number): number => {
    const wished = mode === 'add' ? old | given : mode === 'remove' ? old & ~given : given;
    return ((old & ~mask) | (wished & mask)) >>> 0;
  };
  return { flags: apply(row.flags, flags, within?.flags ?? -1), keywords: apply(row.keywords, bits, within?.keywords === 'none' ? 0 : -1) };
}

function someChange(dice: Dice, highest: number): FlagChange {
  return {
    mode: dice.pick(['add', 'remove', 'replace'] as const), flags: dice.below(32), keywords: keywords.filter(() => dice.oneIn(3)),
    within: dice.oneIn(3) ? { flags: dice.below(32), keywords: dice.pick(['all', 'none'] as const) } : undefined,
    unchangedSince: dice.oneIn(4) ? Math.max(0, highest - dice.below(4)) : undefined,
    knownModseq: dice.oneIn(2) ? Math.max(0, highest - dice.below(4)) : undefined,
    answer: dice.pick(['all', 'unheard'] as const),
  };
}

test('Whatever is changed, rows, what is told of them, counters and what changed since agree with a model', async (t) => {
  const storage = await temporaryStorage(t);
  const account = await storage.createAccount('alice@example.com');
  const inbox = mailboxOf(account);
  await deliver({ storage, account, mailbox: inbox }, sampleMessage('one'));
  for (let have = 1; have < 256; have *= 2) await inbox.copyTo(inbox.uids(), inbox); // cheaper than deliveries
  const dice = new Dice(20_261_126);
  await inbox.expunge(inbox.uids().filter((uid) => dice.oneIn(3) || (uid > 120 && uid < 200)));
  await inbox.changeFlags(inbox.uids(), { mode: 'add', flags: 0, keywords });
  await inbox.changeFlags(inbox.uids(), { mode: 'remove', flags: 0, keywords });
  for (let turn = 0; turn < 60; turn += 1) {
    const before = inbox.rows();
    const { highestModseq } = inbox.state();
    const change = someChange(dice, highestModseq);
    const wanted = Array.from({ length: dice.pick([1, 5, 300]) }, () => 1 + dice.below(270));
    const asked = dice.oneIn(3) ? inbox.uids() : wanted;
    const outcome = await inbox.changeFlags(asked, change);
    const meant = before.filter(({ uid }) => asked.includes(uid));
    const refused = meant.filter(({ modseq }) => modseq > (change.unchangedSince ?? Infinity));
    const model = before.map((row) => {
      const after = meant.includes(row) && !refused.includes(row) ? modelled(row, change) : row;
      const isOther = after.flags !== row.flags || after.keywords !== row.keywords;
      return isOther ? { ...row, ...after, modseq: highestModseq + 1 } : row;
    });
    assert.deepEqual(inbox.rows(), model);
    assert.deepEqual(outcome.modified, refused.map(({ uid }) => uid));
    const done = meant.filter((row) => !refused.includes(row)).map(({ uid }) => uid);
    const unheard = done.filter((uid) => before.some((row) => row.uid === uid && row.modseq > (change.knownModseq ?? Infinity)));
    assert.deepEqual([...outcome.unheard], unheard);
    assert.deepEqual(outcome.changed, model.filter(({ uid }) => (change.answer === 'unheard' ? unheard : done).includes(uid)));
    assert.equal(outcome.modseq, model.some(({ modseq }) => modseq > highestModseq) ? highestModseq + 1 : undefined);
    assert.deepEqual(inbox.changesSince(highestModseq).changed, model.filter(({ modseq }) => modseq > highestModseq));
    const [fromUid, toUid] = [1 + dice.below(100), 100 + dice.below(200)];
    const between = model.filter(({ uid }) => uid >= fromUid && uid <= toUid);
    for (const count of [between.length, 0]) assert.deepEqual(inbox.rowList({ fromUid, toUid, count }).all(), between);
    assert.deepEqual(inbox.rowList({ fromUid: toUid, toUid: fromUid - 1000, count: fromUid - 1000 - toUid }).all(), [], 'of nothing');
    const { messages, unseen, deleted, bytes } = inbox.state();
    assert.deepEqual({ messages, unseen, deleted, bytes }, recount(inbox));
  }
  assert.ok(inbox.state().highestModseq > 30, 'most turns change something');
});
