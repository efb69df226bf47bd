/** Which files tests run: the sources of Waybill and of processes of their own, or the bundles that a run of all tests, or a long one, makes of them. */
import { dirname, join } from 'node:path';

const variable = 'WAYBILL_TEST_PROGRAM';
const root = join(import.meta.dirname, '..', '..');

export let programFile = process.env[variable] ?? join(root, 'waybill.ts');

/** From now on here, and in the processes that begin from now on. */
export function useProgram(file: string): void {
  programFile = file;
  process.env[variable] = file;
}

/** Processes of tests that are started often, or are long in loading: files in `test`, without their ending. */
export const testProcesses = [
  'backend/imap/model/worker', 'backend/imap/other-worker', 'backend/processing/node-process', 'backend/storage/traced-process', 'backend/storage/worker-process',
  'harness/command-runner', 'torture/care-worker', 'torture/judge-process', 'torture/mail-worker', 'torture/move/step-worker', 'torture/queue-worker',
] as const;

/** @param bundle the folder of the program's bundle */
export function testProcessFolder(bundle: string): string {
  return `${bundle}-tests`;
}

export function testProcessSource(name: (typeof testProcesses)[number]): string {
  return join(root, 'test', `${name}.ts`);
}

export function testProcess(name: (typeof testProcesses)[number]): string {
  const bundled = process.env[variable];
  return bundled === undefined ? testProcessSource(name) : join(testProcessFolder(dirname(bundled)), `${name}.js`);
}
