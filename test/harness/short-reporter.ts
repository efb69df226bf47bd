/** The reporter of `npm test`: a line for each file, failures in full with what the file printed, and a closing count. */
import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';
import { isSharedProcess, testFileOf } from './shared-process.ts';

interface FileCount {
  passed: number;
  failed: number;
  skipped: number;
  output: string;
  readonly failures: string[];
}

/** Characters of a file's output that are kept to be shown with its failures. */
const keptOutput = 20_000;
const suiteTests = '';

export async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const files = new Map<string, FileCount>();
  // Tests of a suite that a test file calls bear the suite's file; they come right before the summary of the test file.
  const countOf = (file = ''): FileCount => {
    const key = file.endsWith('.test.ts') || isSharedProcess(file) ? file : suiteTests;
    const known = files.get(key) ?? { passed: 0, failed: 0, skipped: 0, output: '', failures: [] };
    files.set(key, known);
    return known;
  };
  const told = new Set<string>();
  for await (const event of source) {
    if (event.type === 'test:pass' && event.data.details.type !== 'suite') {
      if (event.data.skip === undefined) countOf(event.data.file).passed += 1;
      else countOf(event.data.file).skipped += 1;
    } else if (event.type === 'test:fail' && !failedByItsTests(event.data.details)) {
      addFailure(countOf(testFileOf(event.data)), `${event.data.name}\n${indent(inspect(event.data.details.error.cause ?? event.data.details.error, { depth: 5 }))}`);
    } else if (event.type === 'test:diagnostic' && event.data.message.startsWith('Error: ')) {
      // Of a test that is over, as Node tells it: what was left behind threw.
      addFailure(countOf(event.data.file), event.data.message);
    } else if (event.type === 'test:stdout' || event.type === 'test:stderr') {
      const count = countOf(event.data.file);
      count.output = `${count.output}${event.data.message}`.slice(-keptOutput);
    } else if (event.type === 'test:summary' && event.data.file !== undefined) {
      told.add(event.data.file);
      const suites = files.get(suiteTests);
      if (suites !== undefined) {
        addTo(countOf(event.data.file), suites);
        files.delete(suiteTests);
      }
      if (isSharedProcess(event.data.file)) yield* linesOfShared(files, told);
      const count = countOf(event.data.file);
      // A shared process is told of only where something of its own went wrong.
      if (!isSharedProcess(event.data.file) || count.failed > 0) yield fileLine(event.data.file, count, event.data.duration_ms);
    } else if (event.type === 'test:summary') {
      // A file that could not be loaded, or was ended, has no summary of its own.
      for (const [file, count] of files) if (!told.has(file) && count.failed > 0) yield fileLine(file, count, 0);
      yield closing(files, event.data.duration_ms);
    }
  }
}

/** A suite fails with its tests, which are told themselves, but also by a hook of its own. */
function failedByItsTests({ type, error }: Extract<TestEvent, { type: 'test:fail' }>['data']['details']): boolean {
  return type === 'suite' && 'failureType' in error && error.failureType === 'subtestsFailed';
}

function addFailure(count: FileCount, text: string): void {
  count.failed += 1;
  count.failures.push(`  ✖ ${text}\n`);
}

/** Files that share a process have no summary of their own: they came right before its summary. */
function* linesOfShared(files: ReadonlyMap<string, FileCount>, told: Set<string>): Generator<string> {
  for (const [file, count] of files) {
    if (told.has(file) || file === suiteTests) continue;
    told.add(file);
    yield fileLine(file, count, undefined);
  }
}

function addTo(count: FileCount, more: FileCount): void {
  count.passed += more.passed;
  count.failed += more.failed;
  count.skipped += more.skipped;
  count.output = `${count.output}${more.output}`.slice(-keptOutput);
  count.failures.push(...more.failures);
}

/** @param durationMs undefined where nobody took the time of this file alone */
function fileLine(file: string, count: FileCount, durationMs: number | undefined): string {
  const seconds = durationMs === undefined ? 'in a shared process' : `${(durationMs / 1000).toFixed(1)} s`;
  const skipped = count.skipped === 0 ? '' : `, ${count.skipped} skipped`;
  const line = `${count.failed === 0 ? '✔' : '✖'} ${relative(process.cwd(), file)}  ${count.passed} passed${count.failed === 0 ? '' : `, ${count.failed} failed`}${skipped}, ${seconds}\n`;
  if (count.failed === 0) return line;
  const output = count.output.trim() === '' ? '' : `  output:\n${indent(count.output.trimEnd())}\n`;
  return `${line}${count.failures.join('')}${output}`;
}

function closing(files: ReadonlyMap<string, FileCount>, durationMs: number): string {
  const counts = [...files.values()];
  const sum = (pick: (count: FileCount) => number): number => counts.reduce((total, count) => total + pick(count), 0);
  const failedFiles = [...files].filter(([, count]) => count.failed > 0).map(([file]) => `  ${relative(process.cwd(), file)}\n`);
  const skipped = sum((count) => count.skipped);
  const list = failedFiles.length === 0 ? '' : `\nfailed in:\n${failedFiles.join('')}`;
  const seconds = `in ${String(Math.round(durationMs / 1000))} s:`;
  return `${list}\n${seconds}\n${sum((count) => count.passed)} passed, ${sum((count) => count.failed)} failed${skipped === 0 ? '' : `, ${skipped} skipped`}\n`;
}

function indent(text: string): string {
  return text.split('\n').map((line) => `    ${line}`).join('\n');
}
