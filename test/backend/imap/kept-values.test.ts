/** What the worker keeps of headers: bounded, the longest unused goes first, and whoever works with it goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeptColumns } from '../../../backend/imap/kept-values.ts';

test('Values are kept by name, up to so many bytes, and the column that was not used for the longest time goes first', () => {
  const columns = new KeptColumns(20_000);
  const fill = (name: string, text: string): void => {
    const column = columns.of<string>(name);
    for (let uid = 1; uid <= 50; uid += 1) column.add(uid, text);
  };
  fill('one', 'x'.repeat(50));
  fill('two', 'x'.repeat(50));
  assert.equal(columns.of<string>('one').get(50), 'x'.repeat(50)); // so it was used last
  assert.ok(columns.size > 10_000);
  fill('three', 'x'.repeat(100));
  assert.deepEqual([columns.of<string>('two').get(1), columns.of<string>('one').get(1)?.length, columns.of<string>('three').get(50)?.length], [undefined, 50, 100]);
  assert.ok(columns.size <= 20_000, String(columns.size));
});

test('A column that is too large by itself is not kept, but serves who made it', () => {
  const columns = new KeptColumns(20_000);
  const column = columns.of<{ readonly ids: readonly string[] }>('large');
  for (let uid = 1; uid <= 100; uid += 1) column.add(uid, { ids: ['x'.repeat(1000)] });
  assert.equal(column.get(100)?.ids[0]?.length, 1000);
  assert.deepEqual([columns.size, columns.of<unknown>('large').get(1)], [0, undefined]);
});
