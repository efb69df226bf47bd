/** `npm run check`: types, lint, dependency rules and unused code, side by side, with a table at the end. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { developmentCommand } from './development-command.ts';

interface Check {
  readonly name: string;
  readonly script: string;
  readonly parameters: readonly string[];
}

interface Outcome {
  readonly check: Check;
  readonly passed: boolean;
  readonly output: string;
  readonly seconds: number;
}

const root = join(import.meta.dirname, '..', '..');
const tsc = 'node_modules/@typescript/native/bin/tsc';
const pages = [
  { name: 'types of WebMail', project: 'backend/webmail/ui/tsconfig.json' },
  { name: 'types of WebAdmin', project: 'cluster-config/web-admin/ui/tsconfig.json' },
];

const checks: readonly Check[] = [
  { name: 'lint', script: 'node_modules/oxlint/bin/oxlint', parameters: ['--config', '.config/oxlint.jsonc', '--ignore-pattern', '*.mjs', '--ignore-pattern', '.config/'] },
  { name: 'habits', script: 'shared/bootstrap/check-habits.ts', parameters: [] },
  { name: 'types', script: tsc, parameters: ['-p', 'tsconfig.json'] },
  ...pages.filter(({ project }) => existsSync(join(root, project))).map(({ name, project }) => ({ name, script: tsc, parameters: ['-p', project, '--noEmit'] })),
  { name: 'dependency rules', script: 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', parameters: ['--config', '.config/dependency-cruiser.cjs', '--output-type', 'err', 'waybill.ts', 'frontend', 'backend', 'shared', 'cluster-config', 'test'] },
  { name: 'unused code', script: 'node_modules/knip/bin/knip.js', parameters: ['--config', '.config/knip.json', '--no-progress', '--no-config-hints'] },
];

async function run(check: Check): Promise<Outcome> {
  const began = performance.now();
  const child = spawn(process.execPath, [check.script, ...check.parameters], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (data: Buffer) => { output += data.toString(); });
  child.stderr.on('data', (data: Buffer) => { output += data.toString(); });
  const code = await new Promise<number>((resolve) => {
    child.on('error', (error) => {
      output += error.message;
      resolve(1);
    });
    child.on('close', (exitCode) => resolve(exitCode ?? 1));
  });
  return { check, passed: code === 0, output: output.trim(), seconds: (performance.now() - began) / 1000 };
}

/** Runs all checks, as many at a time as there are processors. */
async function runAll(): Promise<readonly Outcome[]> {
  const waiting = [...checks];
  const outcomes: Outcome[] = [];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) outcomes.push(await run(next));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  return outcomes;
}

developmentCommand('npm run check', `Side by side: ${checks.map(({ name }) => name).join(', ')}; a table at the end.`).parse();
const outcomes = await runAll();
const failed = outcomes.filter((outcome) => !outcome.passed);
for (const { check, output } of failed) process.stdout.write(`--- ${check.name}\n${output}\n\n`);
for (const { check, passed, seconds } of outcomes) process.stdout.write(`${passed ? '✔' : '✖'} ${check.name.padEnd(26)} ${seconds.toFixed(1).padStart(5)} s\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
