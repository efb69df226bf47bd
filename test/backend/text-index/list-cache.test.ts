/** Lists of segments that are kept: each is found for its own segment and place, however many segments a process has opened. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ListCache } from '../../../backend/text-index/list-cache.ts';

test('A list is that of its segment and place, before and after two million segments were opened', () => {
  const cache = new ListCache(1024 * 1024);
  const old = cache.forSegment();
  for (let opened = 1; opened < 2 ** 21 - 1; opened += 1) cache.forSegment();
  const segments = [old, cache.forSegment(), cache.forSegment(), cache.forSegment()];
  for (const [number, segment] of segments.entries()) {
    for (let from = 100; from < 108; from += 1) segment.keep(from, Buffer.from(`${String(number)} ${String(from)}`));
  }
  for (const [number, segment] of segments.entries()) {
    const found = Array.from({ length: 10 }, (_, index) => segment.get(99 + index)?.toString());
    assert.deepEqual(found, [undefined, ...Array.from({ length: 8 }, (_, index) => `${String(number)} ${String(100 + index)}`), undefined]);
  }
});

test('What is kept is bounded, and a copy', () => {
  const cache = new ListCache(10_000).forSegment();
  const bytes = Buffer.alloc(1000, 'a');
  for (let from = 0; from < 100; from += 1) cache.keep(from, bytes);
  bytes.fill('b');
  const kept = Array.from({ length: 100 }, (_, from) => cache.get(from)).filter((list) => list !== undefined);
  assert.ok(kept.length > 4 && kept.length <= 10, String(kept.length));
  assert.ok(kept.every((list) => list.toString() === 'a'.repeat(1000)));
});
