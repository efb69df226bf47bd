/**
 * Everything that strangers send is read by some grammar: of each, texts of its own words in any order, and any of them repeated as often as a text may be long.
 * What is no such text is refused by a Failure and nothing else, and twice the text takes about twice the time. WAYBILL_FUZZ_SEED repeats a run, WAYBILL_FUZZ_SECONDS makes it longer.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFailure } from '../../shared/base/failure.ts';
import { grammars } from './grammar-table.ts';
import type { Grammar } from './grammar-table.ts';
import { fuzzSeconds, fuzzSeed as seed } from './settings.ts';

/** For each grammar. */
const seconds = fuzzSeconds(0.4);
/** Octets. */
const shortest = 4096;
/** Of processor time: who takes less for the longest text is not looked at again. */
const patienceMs = 400;

interface Text {
  readonly begin: string;
  readonly again: string;
  readonly end: string;
}

function textsOf({ words }: Grammar): fc.Arbitrary<Text> {
  const few = (most: number): fc.Arbitrary<string> => fc.array(fc.constantFrom(...words), { maxLength: most }).map((all) => all.join(''));
  return fc.record({ begin: few(4), again: few(3), end: few(3) });
}

function written({ begin, again, end }: Text, length: number): string {
  return again === '' ? begin + end : begin + again.repeat(Math.max(0, Math.floor((length - begin.length - end.length) / again.length))) + end;
}

/** Reads it and answers the processor time in ms. @throws whatever is no Failure */
async function timeOf({ read }: Grammar, text: string): Promise<number> {
  const before = process.threadCpuUsage();
  try {
    await read(text);
  } catch (error) {
    if (!isFailure(error)) throw error;
  }
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

/** The least of some runs: what is compiled or collected meanwhile takes its time once. */
async function leastTimeOf(grammar: Grammar, text: string): Promise<number> {
  let least = Infinity;
  for (let run = 0; run < 5; run += 1) least = Math.min(least, await timeOf(grammar, text));
  return least;
}

async function check(grammar: Grammar, text: Text): Promise<void> {
  await timeOf(grammar, written(text, 0));
  await timeOf(grammar, written(text, shortest));
  const long = written(text, grammar.most);
  if (await timeOf(grammar, long) < patienceMs) return;
  const [whole, half] = [await leastTimeOf(grammar, long), await leastTimeOf(grammar, written(text, grammar.most / 2))];
  assert.ok(whole < patienceMs || whole < 3 * half, `${String(grammar.most)} octets take ${whole.toFixed(0)} ms, half as many ${half.toFixed(0)} ms`);
}

for (const grammar of grammars) {
  test(`${grammar.name}: whatever is written is read or refused, in a time that grows with its length (seed ${String(seed)})`, { timeout: 60_000 + seconds * 2000 }, async () => {
    await fc.assert(fc.asyncProperty(textsOf(grammar), async (text) => check(grammar, text)), { seed, numRuns: 10_000_000, interruptAfterTimeLimit: seconds * 1000, markInterruptAsFailure: false });
  });
}
