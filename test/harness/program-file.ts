/** Which file tests run as Waybill: the source, or the bundle that a run of all tests, or a long one, makes of it. */
import { join } from 'node:path';

const variable = 'WAYBILL_TEST_PROGRAM';

export let programFile = process.env[variable] ?? join(import.meta.dirname, '..', '..', 'waybill.ts');

/** From now on here, and in the processes that begin from now on. */
export function useProgram(file: string): void {
  programFile = file;
  process.env[variable] = file;
}
