/** Copies of the program with one of its promises taken out, to see that the proofs find it missing. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

export interface Spoiling {
  readonly file: string;
  /** What is taken out, and what stands there instead. */
  readonly from: string;
  readonly to: string;
}

/** What LMDB's binding does once in a thousand commits at most, it does in every fourth: the transaction is given up when its actions have run. */
const givingUp: Spoiling = {
  file: 'backend/storage/environment.ts', from: 'return work();',
  to: `const [answers, all] = [work(), globalThis as { commits?: number }];
      all.commits = (all.commits ?? 0) + 1;
      if (all.commits % 4 === 0) throw new Error('MDB_BAD_VALSIZE: planted');
      return answers;`,
};

export const spoilings = {
  'packs are not written through O_DSYNC': [{ file: 'backend/storage/pack-file.ts', from: ' | constants.O_DSYNC', to: '' }],
  'packs of large messages are not flushed': [{ file: 'backend/storage/pack-file.ts', from: 'await this.#handle.datasync();', to: '' }],
  'the index is not flushed': [{ file: 'backend/storage/lmdb-root.ts', from: 'overlappingSync: false,', to: 'overlappingSync: false, noSync: true,' }],
  'the names of new packs are not flushed': [{ file: 'backend/storage/pack-file.ts', from: 'flush(dirname(path));', to: 'void [flush, dirname];' }],
  'a message that is looked into late enters before all of it was seen': [{ file: 'backend/storage/late-scan.ts', from: 'return scanPieces(pieces);', to: 'return scanPieces(pieces.slice(0, 1));' }],
  'a message that is looked into late has the structure of the one before': [{
    file: 'backend/storage/late-scan.ts', from: 'return scanPieces(pieces);',
    to: `const all = globalThis as { seen?: readonly Buffer[] };
    const before = all.seen ?? pieces;
    all.seen = pieces;
    return scanPieces(before);`,
  }],
  'what LMDB gives up is done twice': [
    givingUp,
    { file: 'backend/storage/commit-queue.ts', from: 'this.#again = [...batch];', to: 'this.#again = [...batch, ...batch];' },
    { file: 'backend/storage/commit-queue.ts', from: 'inOrder([...givenUp.batch, ...this.#again]);', to: 'inOrder([...givenUp.batch, ...givenUp.batch, ...this.#again]);' },
  ],
} as const satisfies Record<string, readonly Spoiling[]>;

/** No promise is missing there, but what they are for happens often. */
export const hardships = { 'LMDB gives every fourth commit up': [givingUp] } as const satisfies Record<string, readonly Spoiling[]>;

/** What workers of the torture need. */
const ofTorture = ['backend/storage', 'shared', 'test/torture', 'package.json'] as const;

/** A copy with these changes, in `directory`. @param paths what is copied: what workers of the torture need when absent */
export function makeSpoiltBuild(directory: string, changes: readonly Spoiling[], paths: readonly string[] = ofTorture): void {
  for (const path of paths) cpSync(join(root, path), join(directory, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  for (const { file, from, to } of changes) {
    const text = readFileSync(join(directory, file), 'utf8');
    assert.ok(text.includes(from), `${file} has no "${from}"`);
    writeFileSync(join(directory, file), text.replace(from, to));
  }
}
