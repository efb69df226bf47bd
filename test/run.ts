/**
 * Runs the tests: `npm test` all of them but the long ones (`….long.test.ts`), which come in with WAYBILL_LONG_TESTS=1 or when they are
 * named; `npm test -- imap storage` the files whose path has one of the words in it; what begins with a dash goes to `node --test`
 * (`npm test -- --test-name-pattern='idle'`).
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { provideSystemPackages } from './harness/system-packages.ts';

const root = join(import.meta.dirname, '..');
/** No single test may take longer; a hanging one is named by it. */
const longestTestMs = 240_000;

const words = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const nodeOptions = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const withLong = process.env['WAYBILL_LONG_TESTS'] === '1';
const isWanted = (file: string): boolean => (words.length === 0 ? withLong || !file.endsWith('.long.test.ts') : words.some((word) => file.includes(word)));
const files = globSync('test/**/*.test.ts', { cwd: root }).filter(isWanted).sort();

function stop(text: string): never {
  process.stderr.write(`waybill: ${text}\n`);
  process.exit(1);
}

if (files.length === 0) stop(`no test file has ${words.map((word) => `"${word}"`).join(' or ')} in its path`);
const toDo = provideSystemPackages((text) => { process.stderr.write(`waybill: ${text}\n`); });
if (toDo !== undefined) stop(toDo);

const child = spawn(
  process.execPath,
  [
    // Forced: a file that failed may leave something running, which would keep its process, and this one with it, for ever.
    '--disable-warning=DEP0060', '--test', '--test-force-exit', '--test-concurrency=3', `--test-timeout=${longestTestMs}`,
    `--test-reporter=${join(root, 'test', 'harness', 'short-reporter.ts')}`, '--test-reporter-destination=stdout', ...nodeOptions, ...files,
  ],
  { cwd: root, stdio: 'inherit' },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => { process.exitCode = code ?? 1; });
