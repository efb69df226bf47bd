/** Slow release, on a clock of the test's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFailure } from '../../../shared/base/failure.ts';
import { Recoveries } from '../../../frontend/login/recoveries.ts';

interface Clock { nowMs: number; readonly waits: number[] }

function recoveries(clock: Clock): Recoveries {
  return new Recoveries({
    perSecond: 10, recoveryMs: 30_000, longestWaitMs: 1000, now: () => clock.nowMs,
    sleep: async (ms) => {
      clock.waits.push(ms);
      return Promise.resolve();
    },
  });
}

test('nobody waits for a back-end that never failed', async () => {
  const clock = { nowMs: 0, waits: [] };
  const all = recoveries(clock);
  for (let count = 0; count < 100; count += 1) await all.turn('be1');
  assert.deepEqual(clock.waits, []);
});

test('after a failure connections are spaced, too many are refused, and another back-end is not concerned', async () => {
  const clock = { nowMs: 0, waits: [] };
  const all = recoveries(clock);
  all.failed('be1');
  for (let count = 0; count < 11; count += 1) await all.turn('be1');
  assert.deepEqual(clock.waits, [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
  await assert.rejects(all.turn('be1'), (error) => isFailure(error, 'backend-unavailable'));
  await all.turn('be2');
  assert.equal(clock.waits.length, 10);
});

test('half a minute after the first success all is as before; a failure meanwhile begins anew', async () => {
  const clock = { nowMs: 0, waits: [] as number[] };
  const all = recoveries(clock);
  all.failed('be1');
  all.succeeded('be1');
  clock.nowMs = 29_000;
  all.failed('be1');
  all.succeeded('be1');
  clock.nowMs = 31_000;
  for (let count = 0; count < 2; count += 1) await all.turn('be1');
  assert.deepEqual(clock.waits, [100]);
  clock.nowMs = 59_000;
  for (let count = 0; count < 3; count += 1) await all.turn('be1');
  assert.deepEqual(clock.waits, [100]);
});
