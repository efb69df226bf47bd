/** The runner of tests itself: planted faults, in processes of their own and in a shared one. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Outcome } from './run-files.ts';

const later = 'new Promise((resolve) => setTimeout(resolve, 50))';
const planted = {
  good: "test('good', () => undefined);",
  bad: "test('bad', () => { throw new Error('planted'); });",
  exits: `test('exits', async () => { await ${later}; process.exit(0); }); test('never run', () => undefined);`,
  hook: "after(() => { throw new Error('a hook that fails'); }); test('fine', () => undefined);",
  loads: "throw new Error('not to be loaded');",
  leaves: "test('leaves something', () => { setTimeout(() => { void Promise.reject(new Error('left behind')); }, 10); });",
  slow: `test('slow', async () => { await ${later}; });`,
  tells: "for (let count = 0; count < 100; count += 1) test('much '.repeat(200), () => undefined);",
  spins: "test('spins', () => { for (;;); });",
} as const;
/** Makes the reader of what the files tell a slow one: it sleeps most of the time. */
const slowly = 'setInterval(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100), 1).unref();';
type Fault = keyof typeof planted;

interface Told extends Outcome {
  readonly code: number | null;
  readonly text: string;
}

/** Runs the planted files beside a good one; names in what it answers are those of the faults. */
async function runPlanted(t: TestContext, way: 'shared' | 'apart', faults: readonly Fault[]): Promise<Told> {
  const root = await mkdtemp(join(tmpdir(), 'waybill-run-files-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const files = (['good', ...faults] as const).map((name) => join(root, `${name}.test.ts`));
  for (const name of ['good', ...faults] as const) writeFileSync(join(root, `${name}.test.ts`), `import { after, test } from 'node:test'; after(() => undefined); ${planted[name]}\n`);
  const from = (name: string): string => pathToFileURL(join(import.meta.dirname, `${name}.ts`)).href;
  const program = `import { writeFileSync } from 'node:fs'; import { runFiles } from '${from('run-files')}'; import { SharedProcess } from '${from('shared-process')}';
    const files = ${JSON.stringify(files)};
    ${faults.some((fault) => fault === 'tells') ? slowly : ''}
    const modules = ${way === 'shared' ? `SharedProcess.gather(files, 1, '${root}')` : 'files'};
    const outcome = await runFiles({ modules, files, concurrency: 2, root: '${root}', nodeOptions: [], stopping: new AbortController(), longestSilenceMs: ${faults.some((fault) => fault === 'spins') ? '2_000' : '60_000'} });
    writeFileSync('${root}/outcome.json', JSON.stringify(outcome));`;
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  writeFileSync(join(root, 'runs.mjs'), program);
  const child = spawn(process.execPath, [join(root, 'runs.mjs')], { cwd: root, env: environment });
  let text = '';
  child.stdout.on('data', (data: Buffer) => { text += data.toString(); });
  child.stderr.on('data', (data: Buffer) => { text += data.toString(); });
  const code = await new Promise<number | null>((resolve) => { child.on('close', resolve); });
  const outcome = JSON.parse(readFileSync(join(root, 'outcome.json'), 'utf8')) as Outcome;
  const named = (list: readonly string[]): readonly string[] => list.map((file) => file.slice(file.lastIndexOf('/') + 1).replace('.test.ts', '')).sort();
  return { ...outcome, failed: named(outcome.failed), unended: named(outcome.unended), code, text };
}

test('what fails in a shared process fails by its own name, and what passes there passes', async (t) => {
  const { passed, failed, unended, text } = await runPlanted(t, 'shared', ['bad', 'hook', 'loads', 'slow']);
  assert.deepEqual({ passed, failed, unended }, { passed: false, failed: ['bad', 'hook', 'loads'], unended: [] });
  for (const cause of ['planted', 'a hook that fails', 'not to be loaded']) assert.match(text, new RegExp(`Error: ${cause}`));
  assert.match(text, /failed in:\n {2}bad\.test\.ts\n {2}hook\.test\.ts\n {2}loads\.test\.ts\n/);
});

test('what a test leaves behind, and throws in another\'s time, fails the process and is told', async (t) => {
  const { passed, failed, text } = await runPlanted(t, 'shared', ['leaves', 'slow']);
  assert.deepEqual({ passed, failed }, { passed: false, failed: ['shared-tests-1.mjs'] });
  assert.match(text, /"leaves something" at leaves\.test\.ts.*left behind/s);
});

for (const way of ['shared', 'apart'] as const) {
  test(`a process that ends with 0 before its time hides nothing (${way})`, async (t) => {
    const { passed, failed, unended } = await runPlanted(t, way, ['exits', 'slow']);
    assert.deepEqual({ passed, failed, unended }, { passed: false, failed: [], unended: way === 'shared' ? ['exits', 'slow'] : ['exits'] });
  });
}

test('what a process tells at its end arrives, however slowly it is read', async (t) => {
  const { passed, failed, unended, text } = await runPlanted(t, 'shared', ['tells']);
  assert.deepEqual({ passed, failed, unended }, { passed: true, failed: [], unended: [] });
  assert.match(text, /\n101 passed, 0 failed\n/);
});

test('a process that never lets Node speak is ended when nothing happens any more', async (t) => {
  const { passed, text, code } = await runPlanted(t, 'apart', ['spins']);
  assert.deepEqual({ passed, code }, { passed: false, code: 0 });
  assert.match(text, /failed in:\n(?: {2}good\.test\.ts\n)? {2}spins\.test\.ts\n/);
});

test('good files pass, in a shared process and apart', async (t) => {
  for (const way of ['shared', 'apart'] as const) {
    const { passed, failed, unended } = await runPlanted(t, way, ['slow']);
    assert.deepEqual({ passed, failed, unended }, { passed: true, failed: [], unended: [] });
  }
});
