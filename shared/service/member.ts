/** One worker process as its supervisor sees it. */
import type { Worker } from 'node:cluster';
import type { Order } from './messages.ts';

export type Stage = 'starting' | 'ready' | 'leaving';

export interface Member {
  readonly worker: Worker;
  readonly slot: number;
  readonly generation: number;
  readonly configuration: string;
  readonly bornMs: number;
  stage: Stage;
  readonly started: Promise<undefined>;
  /** Everything it sent was heard, and it sends nothing more. */
  readonly silent: Promise<void>;
}

/** A worker that has just died takes nothing; its end is heard of by itself, and must not be the supervisor's. */
export function send(member: Member, order: Order): void {
  if (member.worker.isConnected()) member.worker.send(order, () => undefined);
}

export function lowestFree(members: ReadonlySet<Member>): number {
  const used = new Set([...members].map((member) => member.slot));
  let slot = 0;
  while (used.has(slot)) slot += 1;
  return slot;
}

export async function exited(worker: Worker): Promise<void> {
  if (!worker.isDead()) await new Promise<void>((resolve) => worker.once('exit', () => resolve()));
}

/** Waits for a worker's end; after `patienceMs` it is killed. */
export async function gone(worker: Worker, patienceMs: number): Promise<void> {
  if (worker.isDead()) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => worker.process.kill('SIGKILL'), patienceMs);
    worker.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
