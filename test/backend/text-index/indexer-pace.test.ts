/** The indexer rests while the node is busy, and only then. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from '../../../backend/text-index/indexer-pace.ts';

const workedMs = 30;

function work(): void {
  for (const endMs = performance.now() + workedMs; performance.now() < endMs;);
}

/** How long a rest after some work takes, milliseconds. */
async function restAfterWork(pace: Pace): Promise<number> {
  work();
  const beganMs = performance.now();
  await pace.rest();
  return performance.now() - beganMs;
}

test('While the node is busy the indexer rests nine times as long as it worked; else it only gives others a turn.', async () => {
  const pace = new Pace(new AbortController().signal);
  let turns = 0;
  setImmediate(() => (turns += 1));
  await restAfterWork(pace);
  assert.equal(turns, 1);
  pace.load = 'busy';
  assert.ok(await restAfterWork(pace) >= 9 * workedMs - 2); // timers count whole milliseconds
  const beganMs = performance.now();
  await pace.rest(); // nothing was done since
  pace.load = 'calm';
  await pace.rest();
  assert.ok(performance.now() - beganMs < 9 * workedMs);
});

test('A rest ends when the indexer is not wanted any more.', { timeout: 20_000 }, async () => {
  const unwanted = new AbortController();
  const pace = new Pace(unwanted.signal);
  pace.load = 'busy';
  work();
  unwanted.abort();
  const timer = setTimeout(() => assert.fail('it rests on'), 9 * workedMs);
  await pace.rest();
  clearTimeout(timer);
});
