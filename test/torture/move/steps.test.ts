/** Both nodes of a move die at every named step of bringing an account over: there never are two owners, and the next run brings all of it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { localSource } from '../../../backend/account-move/local-source.ts';
import { bringAccount } from '../../../backend/account-move/move.ts';
import { bringingSteps } from '../../../backend/account-move/progress.ts';
import { openStorage } from '../../../backend/storage/storage.ts';
import type { Storage } from '../../../backend/storage/storage.ts';
import { put, subjectsAt } from '../../backend/account-move/nodes.ts';
import { storageOptions, temporaryDirectory } from '../../backend/storage/harness.ts';
import { testProcess } from '../../harness/program-file.ts';
import { startProcess } from '../process.ts';
import type { StepTask } from './step-worker.ts';

const script = testProcess('torture/move/step-worker');
const subjects = ['one', 'two', 'three'];

test('who brings an account over is killed at every named step, and its source with it: one owner at most, and the next run brings all mail', { timeout: 120_000 }, async (t) => {
  const folder = temporaryDirectory(t);
  const open = async <Result>(work: (be1: Storage, be2: Storage) => Promise<Result>): Promise<Result> => {
    const be1 = await openStorage(storageOptions(join(folder, 'be1'), { nodeName: 'be1' }));
    const be2 = await openStorage(storageOptions(join(folder, 'be2'), { nodeName: 'be2' }));
    try {
      return await work(be1, be2);
    } finally {
      await be1.close();
      await be2.close();
    }
  };
  const accounts = bringingSteps.map((step) => ({ step, address: `${step}@example.com` }));
  await open(async (be1) => {
    for (const { address } of accounts) {
      await be1.createAccount(address);
      for (const subject of subjects) await put(be1, address, subject);
    }
  });
  const ends = await Promise.all(accounts.map(async ({ step, address }) => ({ step, ...await startProcess(script, { folder, address, dieAt: step } satisfies StepTask, undefined).ended })));
  for (const { step, signal, words } of ends) assert.equal(signal, 'SIGKILL', `${step} has struck: ${words}`);
  await open(async (be1, be2) => {
    for (const { step, address } of accounts) {
      const owners = [be1, be2].filter((storage) => storage.find(address).at === 'live');
      assert.ok(owners.length <= 1, `${step}: two owners`);
      if (be2.find(address).at !== 'live') await bringAccount({ address, source: localSource('be1', be1), node: 'be2', storage: be2, holdMs: 400, tell: () => undefined });
      assert.equal(be1.find(address).at, 'moved', step);
      assert.deepEqual(await subjectsAt(be2, address), subjects, step);
    }
  });
});
