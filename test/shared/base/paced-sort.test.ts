/** Sorting in pieces: the order is that of one sort, equal items keep theirs, and others get their turns. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sortPaced } from '../../../shared/base/paced-sort.ts';

interface Item {
  readonly key: number;
  readonly place: number;
}

test('long and short lists come out in order, and equal items keep theirs', async () => {
  for (const length of [0, 1, 2, 4096, 4097, 30_000]) {
    const items: Item[] = Array.from({ length }, (_item, place) => ({ key: Math.imul(place, 2_654_435_761) % 97, place }));
    const compare = (one: Item, other: Item): number => one.key - other.key;
    assert.deepEqual(await sortPaced(items, compare), items.toSorted(compare));
  }
});

test('others get their turns while a long list is sorted', async () => {
  const items = Array.from({ length: 200_000 }, (_item, place) => String(Math.imul(place, 2_654_435_761)));
  let turns = 0;
  const timer = setInterval(() => { turns += 1; }, 0);
  const sorted = await sortPaced(items, (one, other) => (one < other ? -1 : 1));
  clearInterval(timer);
  assert.equal(sorted.length, items.length);
  assert.ok(turns > 3, `${String(turns)} turns`);
});
