/** Line ends are counted as a plain loop counts them, wherever pieces are cut. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { countLineEnds } from '../../../shared/mime/line-ends.ts';

function counted(data: Buffer, from: number, to: number): number {
  return data.subarray(from, to).reduce((sum, byte) => sum + (byte === 0x0a ? 1 : 0), 0);
}

test('line ends are counted within the bounds, for lengths on both sides of each step, after longer data with more of them', () => {
  const feeds = Buffer.alloc(200_000, '\n');
  const prose = Buffer.from('abcdefghij\r\n\n\x0b\x09\x8a'.repeat(9000), 'latin1');
  for (const length of [0, 1, 15, 16, 17, 127, 128, 129, 143, 144, 65_535, 65_536, 65_537, 131_072, 131_073, 140_000]) {
    for (const from of [0, 1, 7, 16]) {
      assert.equal(countLineEnds(feeds, from, from + length), length);
      assert.equal(countLineEnds(prose, from, from + length), counted(prose, from, from + length));
    }
  }
});
