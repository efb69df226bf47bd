/** Which files tests run: the sources of Waybill and of the torture's processes, or the bundles that a run of all tests, or a long one, makes of them. */
import { dirname, join } from 'node:path';

const variable = 'WAYBILL_TEST_PROGRAM';
const root = join(import.meta.dirname, '..', '..');

export let programFile = process.env[variable] ?? join(root, 'waybill.ts');

/** From now on here, and in the processes that begin from now on. */
export function useProgram(file: string): void {
  programFile = file;
  process.env[variable] = file;
}

/** @param bundle the folder of the program's bundle */
export function tortureFolder(bundle: string): string {
  return `${bundle}-torture`;
}

/** @param name of a file in `test/torture`, without its ending */
export function tortureProcess(name: string): string {
  const bundled = process.env[variable];
  return bundled === undefined ? join(root, 'test', 'torture', `${name}.ts`) : join(tortureFolder(dirname(bundled)), `${name}.js`);
}
