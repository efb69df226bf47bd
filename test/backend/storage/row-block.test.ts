/** Blocks of rows against a plain map, with made-up changes in every order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { collectRows, decodeUidRanges, emptyBlock, encodeUidRanges, findRow, highestModseq, rowBytes, withoutRow, withRow } from '../../../backend/storage/row-block.ts';
import type { MessageRow } from '../../../backend/storage/storage.ts';

const number32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const number53 = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const row: fc.Arbitrary<MessageRow> = fc.record({
  uid: fc.integer({ min: 4_294_967_200, max: 2 ** 32 - 1 }),
  modseq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  flags: fc.integer({ min: 0, max: 31 }),
  keywords: number32,
  size: number32,
  internalDateMs: fc.integer({ min: -8.64e15, max: 8.64e15 }),
  savedDateMs: number53,
  messageId: number53,
  threadId: number53,
}, { noNullPrototype: true });
const change = fc.oneof({ weight: 3, arbitrary: row.map((put) => ({ put })) }, { weight: 1, arbitrary: row.map(({ uid }) => ({ remove: uid })) });

test('A block holds the same rows as a map after any changes', () => {
  fc.assert(fc.property(fc.array(change, { maxLength: 60 }), number53, (changes, sinceModseq) => {
    const model = new Map<number, MessageRow>();
    let block = emptyBlock as Buffer;
    for (const each of changes) {
      if ('put' in each) {
        block = withRow(block, each.put);
        model.set(each.put.uid, each.put);
      } else {
        block = withoutRow(block, each.remove);
        model.delete(each.remove);
      }
    }
    const expected = [...model.values()].sort((one, other) => one.uid - other.uid);
    const collected: MessageRow[] = [];
    collectRows(block, { fromUid: 1, toUid: 2 ** 32 - 1, sinceModseq: 0 }, collected);
    assert.deepEqual(collected, expected);
    assert.equal(block.length, expected.length * rowBytes);
    assert.equal(highestModseq(block), Math.max(0, ...expected.map(({ modseq }) => modseq)));
    for (const each of expected) assert.deepEqual(findRow(block, each.uid), each);
    const later: MessageRow[] = [];
    collectRows(block, { fromUid: 4_294_967_220, toUid: 4_294_967_260, sinceModseq }, later);
    assert.deepEqual(later, expected.filter(({ uid, modseq }) => uid >= 4_294_967_220 && uid <= 4_294_967_260 && modseq > sinceModseq));
  }));
});

test('Ranges of uids come back as the same uids', () => {
  const uids = fc.uniqueArray(fc.integer({ min: 1, max: 300 })).map((list) => list.sort((one, other) => one - other));
  fc.assert(fc.property(uids, (list) => assert.deepEqual(decodeUidRanges(encodeUidRanges(list)), list)));
  assert.equal(encodeUidRanges([1, 2, 3, 4, 5, 9]).length, 16);
});
