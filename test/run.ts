/**
 * Runs the tests: `npm test` all of them but the long ones (`….long.test.ts`), which come in with WAYBILL_LONG_TESTS=1 or when they are
 * named; `npm test -- imap storage` the files whose path has one of the words in it; what begins with a dash goes to the Node of each file
 * (`npm test -- --test-name-pattern='idle'`). A run of all of them runs nodes and commands out of a bundle of the program, and files that
 * can share a process in one. Then a few files that failed are run once more, one at a time and each by itself: what passes then is
 * told to be unsteady, which is a mistake to be mended, of the test or of Waybill, but does not fail the run.
 */
import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { bundleProgram } from './harness/bundled-program.ts';
import { makeClusterTemplate, templateVariable } from './harness/cluster-template.ts';
import { noteFailures } from './harness/failed-files.ts';
import { programVariable } from './harness/program-file.ts';
import { SharedProcess } from './harness/shared-process.ts';
import { report } from './harness/short-reporter.ts';
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
const wanted = globSync('test/**/*.test.ts', { cwd: root }).filter(isWanted).sort().map((file) => join(root, file));

function say(text: string): void {
  process.stderr.write(`waybill: ${text}\n`);
}

function stop(text: string): never {
  say(text);
  process.exit(1);
}

interface Outcome {
  readonly passed: boolean;
  readonly failed: readonly string[];
}

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());

async function runFiles(files: readonly string[], concurrency: number): Promise<Outcome> {
  const notes = { failed: new Set<string>(), passed: true };
  const events = run({
    files: [...files], concurrency, timeout: longestTestMs, cwd: root, signal: stopping.signal,
    // Forced: a file that failed may leave something running, which would keep its process, and this one with it, for ever.
    execArgv: ['--disable-warning=DEP0060', '--test-force-exit', ...nodeOptions],
  });
  for await (const line of report(noteFailures(events, notes))) process.stdout.write(line);
  return { passed: notes.passed && !stopping.signal.aborted, failed: [...notes.failed] };
}

/** In the order in which they begin: what runs clusters, or waits for disks, first; what is short fills the gaps at the end. */
function inOrder(files: readonly string[]): readonly string[] {
  const shared = new SharedProcess(join(root, 'test'));
  const isLengthy = (file: string): boolean => /^test\/(?:bench|cluster|cluster-config\/web-admin|docs\/examples|torture)\//.test(relative(root, file));
  const { together = [], lengthy = [], short = [] } = Object.groupBy(files, (file) => (shared.takes(file) ? 'together' : isLengthy(file) ? 'lengthy' : 'short'));
  return [...lengthy, ...SharedProcess.gather(together, 5), ...short];
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
const first = await runFiles(isWhole ? inOrder(wanted) : wanted, filesAtOnce);
process.exitCode = first.passed ? 0 : 1;
if (isWhole && first.failed.length > 0 && first.failed.length <= mostSecondTries && !stopping.signal.aborted) {
  say('once more, one at a time:');
  const second = await runFiles(first.failed, 1);
  process.exitCode = second.passed ? 0 : 1;
  const unsteady = first.failed.filter((file) => !second.failed.includes(file)).map((file) => relative(root, file));
  if (unsteady.length > 0) say(`unsteady, passed at the second try only: ${unsteady.join(', ')}`);
}
