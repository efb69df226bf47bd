/**
 * The indexer: a process of its own, with the lowest priority, that makes one pass over the text index and ends. So no event loop of a
 * worker waits for it, its memory goes back to the system, and whatever ends it costs a pass. It only reads the storages.
 */
import type { z } from 'zod';
import { Failure } from '../../shared/base/failure.ts';
import { isDiskFull } from '../../shared/base/full-disk.ts';
import { createLog } from '../../shared/log/log.ts';
import { demandCluster, openStorage } from '../storage/storage.ts';
import { runPass } from './index-pass.ts';
import { loadSchema, orderSchema } from './indexer-notice.ts';
import type { IndexerNotice } from './indexer-notice.ts';
import { Pace } from './indexer-pace.ts';
import { yieldToOthers } from './making-way.ts';
import { lockWriter } from './writer-lock.ts';

const quietMs = 200;
const unwanted = new AbortController();
const pace = new Pace(unwanted.signal);

async function main(order: z.output<typeof orderSchema>): Promise<IndexerNotice> {
  yieldToOthers();
  pace.haste = order.haste;
  const locks = order.directories.flatMap((directory) => lockIn(directory, order));
  try {
    if (locks.some(({ unlock }) => unlock === undefined)) return { is: 'busy' };
    const directories = locks.map(({ directory }) => directory);
    if (directories.length === 0) throw new Failure('storage-full', 'the disks of all storages are full');
    const log = createLog({ node: order.nodeName, level: 'silent' }); // the parent has one
    const { clusterName, nodeName } = order;
    for (const directory of directories) demandCluster(directory, clusterName); // their disk may have gone meanwhile: the indexer begins none
    const storage = await openStorage({ directories, clusterName, nodeName, log, workerSlot: 0, reserveBytes: 0, hints: { publish: () => undefined, subscribe: () => () => undefined } });
    let toldAtMs = -Infinity;
    try {
      const report = (progress: { readonly added: number; readonly of: number; readonly missing: number }): void => {
        if (performance.now() - toldAtMs < quietMs) return;
        toldAtMs = performance.now();
        tell({ is: 'progress', ...progress });
      };
      const trouble = (folder: string, error: unknown): void => tell({ is: 'trouble', folder, reason: reasonOf(error) });
      return { is: 'done', ...(await runPass({ ...order, directories }, { storage, trouble, report, signal: unwanted.signal, rest: async () => pace.rest() })) };
    } finally {
      await storage.close();
    }
  } finally {
    for (const { unlock } of locks) unlock?.();
  }
}

/** Its writer's lock. A storage whose disk has no room for it keeps no other from its index, unless somebody waits for all. Throws what the disk says. */
function lockIn(directory: string, { haste }: Pick<z.output<typeof orderSchema>, 'haste'>): readonly { readonly directory: string; readonly unlock: (() => void) | undefined }[] {
  try {
    return [{ directory, unlock: lockWriter(directory) }];
  } catch (error) {
    if (!isDiskFull(error) || haste.is === 'waited-for') throw error;
    tell({ is: 'trouble', folder: directory, reason: reasonOf(error) });
    return [];
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function tell(notice: IndexerNotice): void {
  if (process.connected) process.send?.(notice);
}

process.once('disconnect', () => unwanted.abort(new Error('nobody wants it any more'))); // what is half done is done again
process.once('message', (message) => {
  process.on('message', (later) => void (pace.load = loadSchema.parse(later).load));
  const end = main(orderSchema.parse(message)).catch((error: unknown): IndexerNotice => ({ is: 'failed', reason: reasonOf(error) }));
  void end.then((notice) => {
    tell(notice);
    if (process.connected) process.disconnect();
  });
});
