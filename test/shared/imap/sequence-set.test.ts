/** Which numbers are in a set, and that a long list of them beside a set of many ranges is one walk. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inRanges, numbersWithin, resolveRanges } from '../../../shared/imap/sequence-set.ts';

const end = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constant(Infinity));
const ranges = fc.array(fc.tuple(end, end).map(([one, other]) => ({ first: Math.min(one, other), last: Math.max(one, other) })), { maxLength: 8 });

test('The numbers within a set are those of which each is in one of its ranges', () => {
  fc.assert(fc.property(ranges, fc.uniqueArray(fc.integer({ min: 1, max: 70 })), (set, numbers) => {
    const ascending = numbers.sort((one, other) => one - other);
    const resolved = resolveRanges(set, 50);
    assert.deepEqual(numbersWithin(resolved, ascending), ascending.filter((number) => resolved.some(({ first, last }) => number >= first && number <= last)));
    assert.deepEqual(numbersWithin(resolved, ascending), ascending.filter((number) => inRanges(resolved, number)));
  }));
});

test('Each range is looked at as often as there are numbers and ranges together, not as there are pairs', () => {
  let looks = 0;
  const many = Array.from({ length: 5000 }, (_, index) => ({ get first() { looks += 1; return index * 4; }, get last() { looks += 1; return index * 4 + 1; } }));
  const found = numbersWithin(many, Array.from({ length: 10_000 }, (_, index) => index * 2));
  assert.equal(found.length, 5000);
  assert.ok(looks <= 4 * (5000 + 10_000), `${String(looks)} looks`);
});
