/**
 * Runs the tests: `npm test` all of them but the long ones (`….long.test.ts`), which come in with WAYBILL_LONG_TESTS=1 or when they are
 * named; `npm test -- imap storage` the files whose path has one of the words in it; what begins with a dash goes to the Node of each file
 * (`npm test -- --test-name-pattern='idle'`). A run of all of them runs nodes and commands out of a bundle of the program, and files that
 * can share a process in one. Then a few files that failed are run once more, one at a time and each by itself: what passes then is
 * told to be unsteady, which is a mistake to be mended, of the test or of Waybill, but does not fail the run.
 */
import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { bundleProgram } from './harness/bundled-program.ts';
import { makeClusterTemplate, templateVariable } from './harness/cluster-template.ts';
import { useProgram } from './harness/program-file.ts';
import { runFiles } from './harness/run-files.ts';
import type { Outcome } from './harness/run-files.ts';
import { testCommand } from './harness/test-command.ts';
import { SharedProcess } from './harness/shared-process.ts';
import { provideSystemPackages } from './harness/system-packages.ts';

const root = join(import.meta.dirname, '..');
/** On two cores: clusters wait for one another often, so that four leave a core without work. There are ports for more (`portBases`), as others may test on the same machine. */
const filesAtOnce = 5;
/** Something ends every few seconds; the longest of the long tests are quiet for minutes. */
const longestSilenceMs = 1_200_000;
/** More than these at once are no accident of a busy machine. */
const mostSecondTries = 6;

const given = testCommand().parse().args;
const words = given.filter((argument) => !argument.startsWith('-'));
const nodeOptions = given.filter((argument) => argument.startsWith('-'));
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

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopping.abort());

async function runAll(modules: readonly string[], files: readonly string[], concurrency: number): Promise<Outcome> {
  const outcome = await runFiles({ modules, files, concurrency, root, nodeOptions, stopping, longestSilenceMs });
  if (outcome.unended.length > 0) say(`not run to their end: ${outcome.unended.map((file) => relative(root, file)).join(', ')}`);
  return outcome;
}

/** In the order in which they begin: what runs clusters, or waits for disks, first; what is short fills the gaps at the end. */
function inOrder(files: readonly string[]): readonly string[] {
  const shared = new SharedProcess(join(root, 'test'));
  const isLengthy = (file: string): boolean => /^test\/(?:bench|cluster|cluster-config\/web-admin|docs\/examples|torture)\//.test(relative(root, file));
  const { together = [], lengthy = [], short = [] } = Object.groupBy(files, (file) => (shared.takes(file) ? 'together' : isLengthy(file) ? 'lengthy' : 'short'));
  return [...lengthy, ...SharedProcess.gather(together, 5, join(root, '.runtime')), ...short];
}

if (wanted.length === 0) stop(`no test file has ${words.map((word) => `"${word}"`).join(' or ')} in its path`);
const toDo = provideSystemPackages(say);
if (toDo !== undefined) stop(toDo);

const isWhole = words.length === 0 && nodeOptions.length === 0;
// What takes a second pays where hundreds of nodes are started.
if (isWhole) {
  useProgram(await bundleProgram());
  process.env[templateVariable] = await makeClusterTemplate();
}
const first = await runAll(isWhole ? inOrder(wanted) : wanted, wanted, filesAtOnce);
process.exitCode = first.passed ? 0 : 1;
const again = [...first.failed, ...first.unended];
if (isWhole && again.length > 0 && again.length <= mostSecondTries && !stopping.signal.aborted) {
  say('once more, one at a time:');
  const second = await runAll(again, again, 1);
  process.exitCode = second.passed ? 0 : 1;
  const unsteady = again.filter((file) => !second.failed.includes(file) && !second.unended.includes(file)).map((file) => relative(root, file));
  if (unsteady.length > 0) say(`unsteady, passed at the second try only: ${unsteady.join(', ')}`);
}
