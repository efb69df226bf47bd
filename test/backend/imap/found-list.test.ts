/** Numbers of messages as text, and parts of what was found. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pick, spaced } from '../../../backend/imap/found-list.ts';

test('Numbers of messages are written as they are, whatever their length, with a space before each', () => {
  assert.equal(spaced([]), '');
  const numbers = Uint32Array.from([1, 9, 10, 99, 100, 101, 999, 1000, 65_535, 65_536, 1_000_000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]);
  assert.equal(spaced(numbers), [...numbers].map((number) => ` ${String(number)}`).join(''));
  assert.equal(spaced(Array.from({ length: 5 }, () => 2 ** 32 - 1)), ' 4294967295'.repeat(5));
});

test('A part of what was found has all that the whole has', () => {
  const found = { sequences: Uint32Array.of(1, 2, 3), uids: [11, 12, 13], modseqs: [7, 9, 8], relevancies: [undefined, 50, 100] };
  assert.deepEqual(pick(found, [0, 2]), { sequences: [1, 3], uids: [11, 13], modseqs: [7, 8], relevancies: [undefined, 100] });
  assert.deepEqual(pick({ sequences: [4], uids: [5] }, []), { sequences: [], uids: [], modseqs: undefined, relevancies: undefined });
});
