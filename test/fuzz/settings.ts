/** WAYBILL_FUZZ_SEED repeats a run of the fuzzing tests, WAYBILL_FUZZ_RUNS makes it longer. */

/** To be printed by each test that uses it. */
export const fuzzSeed = Number(process.env['WAYBILL_FUZZ_SEED'] ?? Date.now() % 2 ** 31);

/** @param usual without the variable */
export function fuzzRuns(usual: number): number {
  return Number(process.env['WAYBILL_FUZZ_RUNS'] ?? usual);
}

/** WAYBILL_FUZZ_SECONDS: how long each grammar is fuzzed. @param usual without the variable */
export function fuzzSeconds(usual: number): number {
  return Number(process.env['WAYBILL_FUZZ_SECONDS'] ?? usual);
}
