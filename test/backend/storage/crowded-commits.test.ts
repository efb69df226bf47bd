/** The fault of LMDB's binding that makes it give commits up (docs/durability.md), as it comes by itself: two processes that commit dozens of changes at once. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { openEnvironment } from '../../../backend/storage/environment.ts';

/** In memory: the fault needs thousands of commits, not their flushes. */
const memory = '/dev/shm/waybill-crowd-';
const script = join(import.meta.dirname, 'crowded-process.ts');
const commits = 1000;

interface Told {
  readonly seed: number;
  readonly done: number;
  readonly refused: readonly string[];
  /** The binding's own words on standard error. */
  readonly givenUp: number;
}

async function crowd(path: string, seed: number): Promise<Told> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, path, String(seed), String(commits)]);
  return { seed, givenUp: stderr.split('put failed').length - 1, ...(JSON.parse(stdout) as Pick<Told, 'done' | 'refused'>) };
}

test('Of a crowd of changes in two processes none is refused, lost or done twice, though the binding gives commits up', async (t) => {
  for (const round of [1, 2, 3]) {
    const path = mkdtempSync(memory);
    t.after(() => { rmSync(path, { recursive: true, force: true }); });
    const told = await Promise.all([10 * round + 1, 10 * round + 2].map(async (seed) => crowd(path, seed)));
    const environment = openEnvironment(path, ['count']);
    for (const { seed, done, refused, givenUp } of told) {
      t.diagnostic(`seed ${String(seed)}: ${String(done)} changes, the binding gave up ${String(givenUp)} commits`);
      assert.deepEqual(refused, []);
      assert.equal(environment.table('count').get([seed])?.readUInt32LE(), done, `changes of seed ${String(seed)}`);
    }
    await environment.close();
  }
});
