/** Memory in which bytes wait for their write: used again, but by one at a time, and no more of it than what waits needs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WaitingBytes } from '../../../backend/storage/waiting-bytes.ts';

const mega = 1024 * 1024;

test('Few blocks are used again and again, one by one file at a time; with many files at once each has little more than what waits', () => {
  const files = Array.from({ length: 40 }, () => new WaitingBytes());
  const round = (length: number): readonly ArrayBufferLike[] => {
    for (const [index, file] of files.entries()) file.reserve(length).fill(index);
    const pieces = files.flatMap((file) => file.take());
    for (const [index, { bytes }] of pieces.entries()) assert.ok(bytes.length === length && bytes.every((byte) => byte === index), 'nobody else has written there');
    for (const { giveBack } of pieces) giveBack();
    return pieces.map(({ bytes }) => bytes.buffer);
  };
  const first = round(100_000);
  assert.equal(new Set(first).size, files.length);
  assert.deepEqual(first.map(({ byteLength }) => byteLength).filter((bytes) => bytes !== 100_000), Array.from({ length: 8 }, () => mega));
  const second = round(1000);
  assert.equal(second.filter((memory) => first.includes(memory)).length, 8);
  assert.ok(second.every((memory) => memory.byteLength === 64 * 1024 || first.includes(memory)));
  assert.deepEqual(files[0]?.take(), []);
});
