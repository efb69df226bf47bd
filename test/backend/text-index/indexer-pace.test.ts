/** The indexer rests while the node is busy or others want the processor, and only then, less when it is far behind; all its threads have the lowest priority. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ChangedAccounts } from '../../../backend/text-index/changed-accounts.ts';
import { Pace, restMs } from '../../../backend/text-index/indexer-pace.ts';

const workedMs = 30;

function work(): void {
  for (const endMs = performance.now() + workedMs; performance.now() < endMs;);
}

/** How long a rest after some work takes, milliseconds. */
async function restAfterWork(pace: Pace): Promise<number> {
  work();
  return restOf(pace);
}

async function restOf(pace: Pace): Promise<number> {
  const beganMs = performance.now();
  await pace.rest();
  return performance.now() - beganMs;
}

test('While the node is busy the indexer rests nine times as long as it worked; else it only gives others a turn.', async () => {
  const pace = new Pace(new AbortController().signal, () => 0);
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

test('When others had the processor for a quarter of the time, the indexer rests nine times as long as it had it.', async () => {
  let waitedMs = 0;
  const pace = new Pace(new AbortController().signal, () => waitedMs);
  const workedAmongOthers = async (part: number): Promise<number> => {
    const beganMs = performance.now();
    work();
    waitedMs += part * (performance.now() - beganMs); // on a busy machine the work takes longer
    return restOf(pace);
  };
  const shortMs = await workedAmongOthers(1 / 5);
  const restedMs = await workedAmongOthers(1 / 2);
  assert.ok(restedMs >= (9 * workedMs) / 2 - 2, `${String(restedMs)} ms after half the time, ${String(shortMs)} ms after a fifth`);
});

const hourMs = 3_600_000;

test('The further the indexer is behind the less it rests, after six hours not at all; where somebody waits for it, it never does.', () => {
  const among = { passedMs: 100, waitedMs: 60, load: 'calm' } as const;
  const busy = { passedMs: 100, waitedMs: 0, load: 'busy' } as const;
  assert.deepEqual([0, 2 * hourMs, 4 * hourMs, 6 * hourMs, 60 * hourMs, Infinity].map((behindMs) => Math.round(restMs(among, behindMs))), [360, 240, 120, 0, 0, 0]);
  assert.deepEqual([0, 3 * hourMs, 6 * hourMs, Infinity].map((behindMs) => restMs(busy, behindMs)), [900, 450, 0, 0]);
  assert.equal(restMs({ ...busy, passedMs: hourMs }, 0), 60_000);
  assert.equal(restMs({ passedMs: 100, waitedMs: 24, load: 'calm' }, 0), 0);
});

test('A pass is as far behind as it was told, and further as it goes on; where somebody waits for it, it does not rest.', async () => {
  const pace = new Pace(new AbortController().signal, () => 0);
  pace.haste = { is: 'behind', sinceMs: 2 * hourMs };
  const first = pace.behindMs;
  work();
  assert.ok(first >= 2 * hourMs && pace.behindMs >= first + workedMs, `${String(first)}, then ${String(pace.behindMs)} ms`);
  pace.haste = { is: 'waited-for' };
  assert.equal(pace.behindMs, Infinity);
  pace.load = 'busy';
  let turns = 0;
  setImmediate(() => (turns += 1));
  await pace.rest();
  assert.equal(turns, 1);
});

test('Changes that a pass could not see to are as old afterwards as they were, and with newer ones as old as the oldest.', () => {
  const changed = new ChangedAccounts();
  changed.note('a', 1000);
  changed.note('b', 2000);
  const taken = changed.take();
  assert.deepEqual(taken, { accounts: new Set(['a', 'b']), sinceMs: 1000 });
  assert.ok(changed.isEmpty);
  changed.note('c', 3000);
  changed.takeBack(taken);
  assert.deepEqual(changed.take(), { accounts: new Set(['c', 'a', 'b']), sinceMs: 1000 });
  changed.note('d', 4000);
  changed.noteAll(5000);
  changed.note('e', 6000);
  assert.deepEqual(changed.take(), { accounts: 'all', sinceMs: 4000 });
  for (let account = 0; account <= 5000; account += 1) changed.note(String(account), 7000 + account);
  assert.deepEqual(changed.take(), { accounts: 'all', sinceMs: 7000 });
});

test('All threads of a process that makes way have the lowest priority.', { skip: existsSync('/proc/self/task') ? false : 'only Linux has a priority for each' }, async () => {
  const program = `
    const { yieldToOthers, waitedForProcessorMs } = await import(${JSON.stringify(new URL('../../../backend/text-index/making-way.ts', import.meta.url).href)});
    const { readdirSync, readFileSync } = await import('node:fs');
    yieldToOthers();
    const priorities = readdirSync('/proc/self/task').map((thread) => readFileSync('/proc/self/task/' + thread + '/stat', 'latin1').split(') ')[1].split(' ')[16]);
    console.log(JSON.stringify({ priorities, waitedMs: waitedForProcessorMs() }));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  const { priorities, waitedMs } = JSON.parse(stdout) as { readonly priorities: readonly string[]; readonly waitedMs: number };
  assert.ok(priorities.length > 1);
  assert.deepEqual(new Set(priorities), new Set(['19']));
  assert.ok(waitedMs > 0);
});
