/** Two habits that the linter does not keep: no comment switches a rule off, and no catch is empty, because that hides faults; a comment in it mends nothing. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

const forbidden = [
  { pattern: /\b(?:es|ox)lint-(?:disable|enable)/g, message: 'rules are not switched off by comments' },
  { pattern: /\bcatch\s*(?:\([^)]*\)\s*)?\{(?:\s|\/\/[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\/)*\}/g, message: 'an empty catch hides faults' },
];

function faultsOf(file: string): readonly string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return forbidden.flatMap(({ pattern, message }) => [...text.matchAll(pattern)].map(({ index }) => `${file}:${String(text.slice(0, index).split('\n').length)}: ${message}\n`));
}

const files = globSync(['*.ts', '{frontend,backend,shared,cluster-config,test}/**/*.{ts,tsx}'], { cwd: root });
const faults = files.flatMap(faultsOf);
process.stdout.write(faults.join(''));
process.exitCode = faults.length === 0 ? 0 : 1;
