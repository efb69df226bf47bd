/** When a certificate is ordered, and how long the renewer waits after failures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDue, nextPauseMs } from '../../../cluster-config/acme/renewer.ts';

test('a certificate is renewed when a third of its life is left', () => {
  const life = { validFromDate: new Date(0), validToDate: new Date(90_000) };
  assert.deepEqual([59_999, 60_000, 95_000].map((nowMs) => isDue(life, nowMs)), [false, true, true]);
});

test('after each failure it waits twice as long, a day at most; a silent server is asked sooner than one that refuses', () => {
  const pauses = (failure: 'refused' | 'silent', count: number): number[] => {
    const all: number[] = [];
    for (let before: number | undefined; all.length < count; all.push(before)) before = nextPauseMs(before, failure);
    return all.map((ms) => ms / 1000);
  };
  assert.deepEqual(pauses('refused', 12), [60, 120, 240, 480, 960, 1920, 3840, 7680, 15_360, 30_720, 61_440, 86_400]);
  assert.deepEqual(pauses('silent', 4), [5, 10, 20, 40]);
  assert.equal(nextPauseMs(20_000, 'refused'), 60_000);
});
