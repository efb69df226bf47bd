/** Copies of the program with one of its promises taken out, to see that the proofs find it missing. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

interface Spoiling {
  readonly file: string;
  /** What is taken out, and what stands there instead. */
  readonly changes: Readonly<Record<string, string>>;
}

export const spoilings = {
  'packs are not flushed': { file: 'backend/storage/pack-file.ts', changes: { ' | constants.O_DSYNC': '', 'await this.#handle.datasync();': '' } },
  'the index is not flushed': { file: 'backend/storage/environment.ts', changes: { 'overlappingSync: false,': 'overlappingSync: false, noSync: true,' } },
  'the names of new packs are not flushed': { file: 'backend/storage/pack-file.ts', changes: { 'flush(dirname(path));': 'void [flush, dirname];' } },
} as const satisfies Record<string, Spoiling>;

/** What workers of the torture need, with that fault, in `directory`. */
export function makeSpoiltBuild(directory: string, fault: keyof typeof spoilings): void {
  const { file, changes } = spoilings[fault];
  for (const path of ['backend/storage', 'shared', 'test/torture', 'package.json']) cpSync(join(root, path), join(directory, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  let text = readFileSync(join(directory, file), 'utf8');
  for (const [from, to] of Object.entries(changes)) {
    assert.ok(text.includes(from), `${file} has no "${from}"`);
    text = text.replace(from, to);
  }
  writeFileSync(join(directory, file), text);
}
