/** Arbitrary acts of many clients, and a model that predicts every response. WAYBILL_FUZZ_SEED repeats a run (with WAYBILL_FUZZ_PATH, as a failure prints it, the failing list alone), WAYBILL_FUZZ_RUNS makes it longer; `npm run torture -- imap` goes on for as long as you like. */
import { test } from 'node:test';
import { fuzzRuns, fuzzSeed } from '../../../fuzz/settings.ts';
import { runModel } from './run.ts';

test(`Every response of seven sessions of an owner and two guests, in two processes and two nodes, is the one that a simple model predicts (seed ${String(fuzzSeed)}).`, { timeout: 200_000 }, async () => {
  await runModel({ seed: fuzzSeed, news: 'at once', runs: fuzzRuns(9), acts: 200, limitMs: 150_000, shortenMs: 20_000, path: process.env['WAYBILL_FUZZ_PATH'], tell: (line) => process.stderr.write(`${line}\n`) });
});
