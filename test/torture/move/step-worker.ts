/** A process with two nodes, of which one brings an account over from the other, that dies as soon as a step of that is told: `node step-worker.ts '<StepTask as JSON>'`. */
import { join } from 'node:path';
import { localSource } from '../../../backend/account-move/local-source.ts';
import { bringAccount } from '../../../backend/account-move/move.ts';
import type { MoveStep } from '../../../backend/account-move/progress.ts';
import { openStorage } from '../../../backend/storage/storage.ts';
import { storageOptions } from '../../backend/storage/harness.ts';

export interface StepTask {
  /** Of the storages `be1` and `be2`. */
  readonly folder: string;
  readonly address: string;
  readonly dieAt: MoveStep;
}

const { folder, address, dieAt } = JSON.parse(process.argv[2] ?? '{}') as StepTask;
const [be1, be2] = await Promise.all(['be1', 'be2'].map(async (nodeName) => openStorage(storageOptions(join(folder, nodeName), { nodeName }))));
if (be1 === undefined || be2 === undefined) throw new Error('no storages');
await bringAccount({
  address, source: localSource('be1', be1), node: 'be2', storage: be2, holdMs: 400,
  tell: (step) => { if (step === dieAt) process.kill(process.pid, 'SIGKILL'); },
});
