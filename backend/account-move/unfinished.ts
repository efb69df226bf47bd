/** What one worker of a node does for moves whose process died, and for old mail that was left: nobody has to ask for it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isFailure } from '../../shared/base/failure.ts';
import type { Service } from '../../shared/service/service.ts';
import { isAlive } from '../storage/storage.ts';
import type { AccountMovesOptions } from './move-job.ts';
import { tellReclaimed } from './reclaim.ts';
import { remoteSource } from './source.ts';

const lookEveryMs = 1000;
/** An account that came is served; naming and comparing it is not urgent, and may have failed before. */
const finishEveryMs = 30_000;
const removeEveryMs = 600_000;

/** @param start begins the move of an address, or goes on with it */
export function lookAfterMoves(options: AccountMovesOptions, start: (address: string) => void): Service {
  const end = new AbortController();
  let finishedAtMs = 0;
  let removedAtMs = 0;
  const look = async (): Promise<void> => {
    await activateSealed(options, start);
    await tellReclaimed(options);
    if (Date.now() - finishedAtMs > finishEveryMs) {
      finishedAtMs = Date.now();
      for (const { address, holder } of options.storage.transfers.arriving.came()) if (!isAtWork(holder)) start(address);
    }
    if (Date.now() - removedAtMs > removeEveryMs) {
      removedAtMs = Date.now();
      await removeOld(options);
    }
  };
  const work = async (): Promise<void> => {
    while (!end.signal.aborted) {
      await look().catch((error: unknown) => options.log.error({ err: error }, 'could not look after moved accounts'));
      await sleep(lookEveryMs, undefined, { signal: end.signal, ref: false }).catch(() => undefined); // woken to end
    }
  };
  const working = work();
  const stop = async (): Promise<void> => {
    end.abort();
    await working;
  };
  return { name: 'accountMoves', stop, retire: stop };
}

/** Accounts that were sealed to this node by a move that died: nobody owns them until this is done. */
async function activateSealed(options: AccountMovesOptions, start: (address: string) => void): Promise<void> {
  for (const { address, from, holder } of options.storage.transfers.arriving.records()) {
    const target = options.others[from];
    if (target === undefined || isAtWork(holder)) continue;
    const source = remoteSource(from, target);
    try {
      const record = await source.record(address);
      if (record.at === 'moved' && record.node === options.nodeName) start(address);
    } catch (error) {
      if (!isFailure(error, 'backend-unavailable')) throw error;
    } finally {
      source.close();
    }
  }
}

function isAtWork(holder: string): boolean {
  return holder !== '' && isAlive(holder);
}

async function removeOld({ storage, keepLeftMs, log }: AccountMovesOptions): Promise<void> {
  const { leaving } = storage.transfers;
  for (const { address, epoch, atMs, mail } of leaving.left()) {
    if (mail !== 'verified' || Date.now() - atMs < keepLeftMs) continue;
    await leaving.removeLeft(address, epoch);
    log.info({ account: address }, 'mail of an account that moved away is removed');
  }
}
