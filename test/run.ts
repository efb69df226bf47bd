/**
 * Runs the tests: `npm test` all of them but the long ones (`….long.test.ts`), which come in with WAYBILL_LONG_TESTS=1 or when they are
 * named; `npm test -- imap storage` the files whose path has one of the words in it; what begins with a dash goes to `node --test`
 * (`npm test -- --test-name-pattern='idle'`). A run of all of them runs nodes and commands out of a bundle of the program, and files that
 * can share a process in one. Then a few files that failed are run once more, one at a time and each by itself: what passes then is
 * told to be unsteady, which is a mistake to be mended, of the test or of Waybill, but does not fail the run.
 */
import { spawn } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { bundleProgram } from './harness/bundled-program.ts';
import { makeClusterTemplate, templateVariable } from './harness/cluster-template.ts';
import { programVariable } from './harness/program-file.ts';
import { SharedProcess } from './harness/shared-process.ts';
import { provideSystemPackages } from './harness/system-packages.ts';

const root = join(import.meta.dirname, '..');
/** No single test may take longer; a hanging one is named by it. */
const longestTestMs = 240_000;
/** On two cores: clusters wait for one another often, so that four leave a core without work; there are ports for five (`portBases`). */
const filesAtOnce = 5;
/** More than these at once are no accident of a busy machine. */
const mostSecondTries = 6;

const words = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const nodeOptions = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const withLong = process.env['WAYBILL_LONG_TESTS'] === '1';
const isWanted = (file: string): boolean => (words.length === 0 ? withLong || !file.endsWith('.long.test.ts') : words.some((word) => file.includes(word)));
const wanted = globSync('test/**/*.test.ts', { cwd: root }).filter(isWanted).sort();

function say(text: string): void {
  process.stderr.write(`waybill: ${text}\n`);
}

function stop(text: string): never {
  say(text);
  process.exit(1);
}

interface Outcome {
  readonly code: number;
  readonly failed: readonly string[];
}

async function run(files: readonly string[], concurrency: number): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-tests-'));
  const failedFile = join(folder, 'failed');
  const child = spawn(
    process.execPath,
    [
      // Forced: a file that failed may leave something running, which would keep its process, and this one with it, for ever.
      '--disable-warning=DEP0060', '--test', '--test-force-exit', `--test-concurrency=${concurrency}`, `--test-timeout=${longestTestMs}`,
      `--test-reporter=${join(root, 'test', 'harness', 'short-reporter.ts')}`, '--test-reporter-destination=stdout',
      `--test-reporter=${join(root, 'test', 'harness', 'failed-files.ts')}`, `--test-reporter-destination=${failedFile}`, ...nodeOptions, ...files,
    ],
    { cwd: root, stdio: 'inherit' },
  );
  const pass = (signal: NodeJS.Signals): void => { child.kill(signal); };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, pass);
  const code = await new Promise<number>((resolve) => { child.on('exit', (exitCode) => resolve(exitCode ?? 1)); });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, pass);
  const failed = code === 0 ? [] : readFileSync(failedFile, 'utf8').split('\n').filter((line) => line !== '');
  rmSync(folder, { recursive: true });
  return { code, failed };
}

/** The files, with a few in the place of those that can share a process. */
function withSharedProcesses(files: readonly string[]): readonly string[] {
  const shared = new SharedProcess(join(root, 'test'));
  const together = files.map((file) => join(root, file)).filter((file) => shared.takes(file));
  return [...SharedProcess.gather(together, 3), ...files.filter((file) => !together.includes(join(root, file)))];
}

if (wanted.length === 0) stop(`no test file has ${words.map((word) => `"${word}"`).join(' or ')} in its path`);
const toDo = provideSystemPackages(say);
if (toDo !== undefined) stop(toDo);

const isWhole = words.length === 0 && nodeOptions.length === 0;
// What takes a second pays where hundreds of nodes are started.
if (isWhole) {
  process.env[programVariable] = await bundleProgram();
  process.env[templateVariable] = await makeClusterTemplate();
}
const first = await run(isWhole ? withSharedProcesses(wanted) : wanted, filesAtOnce);
process.exitCode = first.code;
if (isWhole && first.failed.length > 0 && first.failed.length <= mostSecondTries) {
  say('once more, one at a time:');
  const second = await run(first.failed, 1);
  process.exitCode = second.code;
  const unsteady = first.failed.filter((file) => !second.failed.includes(file)).map((file) => relative(root, file));
  if (unsteady.length > 0) say(`unsteady, passed at the second try only: ${unsteady.join(', ')}`);
}
