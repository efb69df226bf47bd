/** Runs test files in processes of Node, tells how it went, and vouches that each came to its end. */
import { run } from 'node:test';
import type { TestEvent } from 'node:test/reporters';
import { noteFailures } from './failed-files.ts';
import type { Notes } from './failed-files.ts';
import { report } from './short-reporter.ts';

/** No single test may take longer; a hanging one is named by it. */
const longestTestMs = 240_000;

export interface FileRun {
  /** What is given to Node, and which files of tests are in it: more where some share a process. */
  readonly modules: readonly string[];
  readonly files: readonly string[];
  readonly concurrency: number;
  readonly root: string;
  readonly nodeOptions: readonly string[];
  /** Ends it, and what it started. */
  readonly stopping: AbortController;
  /** After which nothing will happen any more: Node puts no limit on a process that never lets it speak. More than a test may take. */
  readonly longestSilenceMs: number;
}

export interface Outcome {
  readonly passed: boolean;
  readonly failed: readonly string[];
  /** Files that were not run to their end, though nothing of them failed. */
  readonly unended: readonly string[];
}

export async function runFiles({ modules, files, concurrency, root, nodeOptions, stopping, longestSilenceMs }: FileRun): Promise<Outcome> {
  const notes: Notes = { failed: new Set(), ended: new Set(), passed: true };
  const events = run({
    files: [...modules], concurrency, timeout: longestTestMs, cwd: root, signal: stopping.signal,
    // Forced: a file that failed may leave something running, which would keep its process, and this one with it, for ever.
    execArgv: ['--disable-warning=DEP0060', '--test-force-exit', `--import=${import.meta.resolve('./unhurried-output.ts')}`, ...nodeOptions],
  });
  const silence = setTimeout(() => stopping.abort(), longestSilenceMs);
  for await (const line of report(noteFailures(eachBreaking(silence, events), notes))) process.stdout.write(line);
  clearTimeout(silence);
  const unended = files.filter((file) => !notes.ended.has(file) && !notes.failed.has(file));
  return { passed: notes.passed && unended.length === 0 && !stopping.signal.aborted, failed: [...notes.failed], unended };
}

async function* eachBreaking(silence: NodeJS.Timeout, events: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  for await (const event of events) {
    silence.refresh();
    yield event;
  }
}
