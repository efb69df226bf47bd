/** Copies of the program with one of its promises taken out, to see that the proofs find it missing. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

interface Spoiling {
  readonly file: string;
  /** What is taken out, and what stands there instead. */
  readonly from: string;
  readonly to: string;
}

export const spoilings = {
  'packs are not written through O_DSYNC': { file: 'backend/storage/pack-file.ts', from: ' | constants.O_DSYNC', to: '' },
  'packs of large messages are not flushed': { file: 'backend/storage/pack-file.ts', from: 'await this.#handle.datasync();', to: '' },
  'the index is not flushed': { file: 'backend/storage/lmdb-root.ts', from: 'overlappingSync: false,', to: 'overlappingSync: false, noSync: true,' },
  'the names of new packs are not flushed': { file: 'backend/storage/pack-file.ts', from: 'flush(dirname(path));', to: 'void [flush, dirname];' },
} as const satisfies Record<string, Spoiling>;

/** What workers of the torture need, with that fault, in `directory`. */
export function makeSpoiltBuild(directory: string, fault: keyof typeof spoilings): void {
  const { file, from, to } = spoilings[fault];
  for (const path of ['backend/storage', 'shared', 'test/torture', 'package.json']) cpSync(join(root, path), join(directory, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  const text = readFileSync(join(directory, file), 'utf8');
  assert.ok(text.includes(from), `${file} has no "${from}"`);
  writeFileSync(join(directory, file), text.replace(from, to));
}
