/** Transactions that LMDB gives up: a real environment, whose binding's refusal is planted after its actions have run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { CommitQueue } from '../../../backend/storage/commit-queue.ts';
import { openRoot } from '../../../backend/storage/lmdb-root.ts';
import { WriteJournal } from '../../../backend/storage/lmdb-table.ts';
import { runBatch } from '../../../backend/storage/write-batch.ts';
import { temporaryDirectory } from './harness.ts';

const givenUp = 'MDB_BAD_VALSIZE: Unsupported size of key/DB name/data, or wrong DUPFIXED size';

interface Plant {
  /** So many of the next transactions are given up after their actions. */
  left: number;
  /** Only those are that have this letter. */
  has: string;
  /** Actions in each transaction. */
  sizes: number[];
  reason: string;
  /** Done after the first of two. */
  meanwhile: () => void;
}

/** A queue that adds letters to one value. */
function openQueue(t: TestContext): { readonly plant: Plant; readonly add: (letter: string) => Promise<void>; readonly all: () => string } {
  const root = openRoot(temporaryDirectory(t));
  t.after(async () => root.close());
  const plant: Plant = { left: 0, has: '', sizes: [], reason: givenUp, meanwhile: () => undefined };
  const all = (): string => root.getBinary(['all'])?.toString() ?? '';
  const queue = new CommitQueue({
    transact: async (work) => root.childTransaction(() => {
      const answers = work();
      if (answers.length > 0) plant.sizes.push(answers.length);
      if (answers.length > 0 && plant.left > 0 && all().includes(plant.has)) {
        plant.left -= 1;
        throw new Error(plant.reason);
      }
      return answers;
    }).finally(() => { if (plant.left === 1) plant.meanwhile(); }),
    run: (batch) => runBatch(batch, new WriteJournal(), []),
    endIfPanicked: () => undefined,
    failureOf: (cause) => cause,
  });
  const add = (letter: string): Promise<void> => new Promise((resolve, reject) => {
    const run = (): (() => void) => {
      void root.put(['all'], Buffer.from(all() + letter));
      return resolve;
    };
    if (queue.add({ run, reject }) === 'first') void queue.commit();
  });
  return { plant, add, all };
}

test('What was in a transaction that LMDB gave up comes in, once and in its order, before what came later', async (t) => {
  const { plant, add, all } = openQueue(t);
  const later: Promise<void>[] = [];
  Object.assign(plant, { left: 2, meanwhile: () => later.push(add('x')) });
  await Promise.all([...'abcdefg'].map(async (letter) => add(letter)));
  await Promise.all(later);
  assert.equal(all(), 'abcdefgx');
  assert.deepEqual(plant.sizes, [7, 4, 2, 4, 2]);
  plant.sizes.length = 0;
  await Promise.all([...'123456789'].map(async (letter) => add(letter)));
  assert.deepEqual(plant.sizes, [9], 'what lies behind makes no transaction smaller');
});

test('An action that is given up though it is alone is refused in the end, and others are not', async (t) => {
  const { plant, add, all } = openQueue(t);
  Object.assign(plant, { left: Infinity, has: 'b' });
  const outcomes = await Promise.allSettled([...'abc'].map(async (letter) => add(letter)));
  assert.deepEqual(outcomes.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
  assert.equal(all(), 'ac');
});

test('A commit that failed for another reason is not tried again', async (t) => {
  const { plant, add, all } = openQueue(t);
  Object.assign(plant, { left: 1, reason: 'Input/output error' });
  await assert.rejects(add('a'), { message: 'Input/output error' });
  assert.equal(all(), '');
});
