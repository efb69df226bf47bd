import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from '../../../shared/service/turns.ts';

/** Notes who has gone on. */
function table(): { readonly turns: Turns; readonly gone: number[]; readonly takes: (number: number) => void } {
  const turns = new Turns();
  const gone: number[] = [];
  return { turns, gone, takes: (number) => turns.taken(number, () => gone.push(number)) };
}

test('who took its connection goes on at once, unless an earlier one to the same listener is not taken yet', () => {
  const { turns, gone, takes } = table();
  for (const number of [1, 2, 3]) turns.handed(number, 'one');
  turns.handed(4, 'another');
  takes(1);
  takes(4);
  assert.deepEqual(gone, [1, 4]);
  takes(3);
  assert.deepEqual(gone, [1, 4]);
  takes(2);
  assert.deepEqual(gone, [1, 4, 2, 3]);
});

test('what goes on may hand out the next, which nobody waits for that came before', () => {
  const { turns, gone } = table();
  turns.handed(1, 'one');
  turns.handed(2, 'one');
  turns.taken(1, () => {
    gone.push(1);
    turns.handed(3, 'one');
  });
  turns.taken(2, () => gone.push(2));
  assert.deepEqual(gone, [1, 2]);
});

test('a connection that is left untaken is waited for 40 ms, once', async () => {
  const { turns, gone, takes } = table();
  turns.handed(1, 'one');
  turns.handed(2, 'one');
  const began = performance.now();
  await new Promise<void>((resolve) => turns.taken(2, resolve));
  assert.ok(performance.now() - began >= 39);
  turns.handed(3, 'one');
  takes(3);
  assert.deepEqual(gone, [3]);
});

test('nobody waits for who has refused a connection', () => {
  const { turns, gone, takes } = table();
  turns.handed(1, 'one');
  turns.handed(2, 'one');
  takes(2);
  turns.refused(1);
  assert.deepEqual(gone, [2]);
});

test('one that was never handed out is none of its business', () => {
  const { gone, takes } = table();
  takes(7);
  assert.deepEqual(gone, [7]);
});
