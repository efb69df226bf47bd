/** Compaction of storages: as a job that administrators begin, and by itself in one worker of the node. */
import type { Logger } from '../../shared/log/log.ts';
import { isFailure } from '../../shared/base/failure.ts';
import type { Service } from '../../shared/service/service.ts';
import { compactStorage } from '../storage/storage.ts';
import type { KeptFolder, Storage } from '../storage/storage.ts';
import type { JobGround, JobResult } from './jobs.ts';

/** When packs are rewritten, and how fast. */
export interface CompactionTerms {
  /** 0: not by itself. */
  readonly deadPercent: number;
  readonly bytesPerSecond: number;
}

/** Where the configuration says 0 and an administrator nothing else. */
export const usualDeadPercent = 50;

const tidyEveryMs = 600_000;
/** A pack that nobody wrote to for so long is written to no more, and read by nobody who found it before it died. */
const idlePackMs = 600_000;

export async function compactionsOf(folders: readonly KeptFolder[], terms: CompactionTerms, { report, signal }: JobGround): Promise<JobResult> {
  const compacted: NonNullable<JobResult['compacted']> = [];
  for (const folder of folders) compacted.push(await compactStorage(folder, { ...terms, signal, report: (text, { bytes, of }) => report(text, { done: bytes, of }) }));
  return { compacted };
}

/** Now and then, by one worker of the node: packs without a living message are removed, those with much that is dead are rewritten. */
export function tidyPacks(storage: Storage, terms: CompactionTerms, log: Logger): Service {
  const end = new AbortController();
  let working = Promise.resolve();
  const tidy = async (): Promise<void> => {
    await storage.removeBrokenLots();
    await storage.removeDeadPacks(idlePackMs);
    if (terms.deadPercent === 0) return;
    for (const folder of storage.care.folders()) {
      const { packs, ...report } = await compactStorage(folder, { ...terms, signal: end.signal, report: () => undefined });
      if (packs > 0 || report.damaged > 0) log.info({ ...report, packs }, 'packs were compacted');
    }
  };
  let isIdle = true;
  const timer = setInterval(() => {
    if (!isIdle) return;
    isIdle = false;
    working = tidy().catch((error: unknown) => {
      if (!end.signal.aborted) log.warn({ err: error, ...(isFailure(error) ? { kind: error.kind } : {}) }, 'packs could not be tidied');
    }).finally(() => { isIdle = true; });
  }, tidyEveryMs).unref();
  const stop = async (): Promise<void> => {
    clearInterval(timer);
    end.abort();
    await working;
  };
  return { name: 'tidyPacks', stop, retire: stop };
}
