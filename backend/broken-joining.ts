/** Storages whose taking in had broken off when the node ended: before it starts anew it is settled whether it has them. */
import type { ForeignHolder } from '../shared/base/folder-holder.ts';
import type { Logger } from '../shared/log/log.ts';
import { lockDirectory } from './locked-directory.ts';
import type { KeptPlaces } from './queue-directory.ts';
import { storageMemory } from './storage-directories.ts';

interface Circumstances {
  readonly foreign: ForeignHolder;
  readonly log: Logger;
}

/**
 * One that can be opened is taken in: workers may have had it, and there may be new mail in it. One that can't was never opened; it is left out, lest
 * the node can't start, and what was noted of it before counts again. Never rejects for what is wrong with a storage.
 */
export async function finishJoining(config: KeptPlaces & { readonly clusterName: string }, circumstances: Circumstances): Promise<void> {
  const memory = storageMemory(config);
  for (const { directory } of memory.joining()) {
    const { log } = circumstances;
    try {
      await tryOpening(config, directory, circumstances);
    } catch (error) {
      memory.giveUp(directory);
      log.error({ err: error, directory }, 'the node ended while it took this storage in, and it can not be opened: it is left out, and all is noted as before; attach it again when it can');
      continue;
    }
    memory.takeIn(directory);
    log.warn({ directory }, 'the node ended while it took this storage in: it can be opened, and is taken in now');
  }
}

async function tryOpening({ clusterName, nodeName }: KeptPlaces & { readonly clusterName: string }, directory: string, { foreign, log }: Circumstances): Promise<void> {
  const { demandCluster, openStorage } = await import('./storage/storage.ts'); // seldom needed: the supervisor stays small
  demandCluster(directory, clusterName); // else its lock would make a folder where nothing is mounted
  const release = lockDirectory(directory, foreign);
  try {
    const hints = { publish: () => undefined, subscribe: () => () => undefined };
    const storage = await openStorage({ directories: [directory], joining: [directory], clusterName, nodeName, hints, log, workerSlot: 0, reserveBytes: 0 });
    await storage.close();
  } finally {
    release();
  }
}
