/**
 * What directory entries let mailboxes hold (quotas), noted with the accounts. Whoever comes by a front-end, and mail, is vouched for, and no question to the
 * directory goes along: so it is asked now and then for accounts in use, behind their back, or a changed entry would never count.
 */
import type { LRUCache } from 'lru-cache';
import { boundedCache } from '../../shared/base/bounded-cache.ts';
import { isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { UserEntry } from '../../shared/user-map/user-maps.ts';
import type { Storage } from '../storage/storage.ts';

export interface DirectoryLimitsOptions {
  readonly storage: Storage;
  /** How long an entry counts before it is asked for anew, milliseconds; undefined: entries say nothing of limits. */
  readonly ageMs: number | undefined;
  readonly maxEntries: number;
  readonly log: Logger;
}

export class DirectoryLimits {
  readonly #options: DirectoryLimitsOptions;
  /** When the entry of an account was last asked for. */
  readonly #askedAtMs: LRUCache<string, number>;

  constructor(options: DirectoryLimitsOptions) {
    this.#options = options;
    this.#askedAtMs = boundedCache(options.maxEntries);
  }

  /** Takes up what the directory says that an account of this node may hold; one that can't be changed now learns it the next time. */
  async learn({ address, limits }: UserEntry): Promise<void> {
    const { storage, log } = this.#options;
    if (limits === undefined) return;
    this.#askedAtMs.set(address, performance.now());
    try {
      if (storage.find(address).at === 'live') await storage.lives.learnLimits(address, limits);
    } catch (error) {
      if (!isFailure(error)) throw error;
      log.warn({ account: address, err: error }, 'what the directory says that the account may hold could not be noted');
    }
  }

  /** The account is in use. @param ask looks the entry up, and lets it be learned */
  keepUp(address: string, ask: (address: string) => Promise<unknown>): void {
    const { ageMs, log } = this.#options;
    const nowMs = performance.now();
    if (ageMs === undefined || nowMs - (this.#askedAtMs.get(address) ?? -Infinity) < ageMs) return;
    this.#askedAtMs.set(address, nowMs);
    ask(address).catch((error: unknown) => {
      if (!isFailure(error, 'directory-unavailable')) log.error({ account: address, err: error }, 'could not ask the directory what an account may hold');
    });
  }
}
