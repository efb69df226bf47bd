/**
 * Compares the accounts of a node with the directory, now and then, by one worker. An account whose entry is gone is held: as if there
 * were no such account, its mail untouched; it is back when the entry is back, and is removed when it was held long enough. A directory
 * that can't be asked, that is empty, or that lacks more than a share of the accounts at once says nothing: that is an alert, and nothing happens.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Service } from '../../shared/service/service.ts';
import type { UserMaps } from '../../shared/user-map/user-maps.ts';
import type { AccountSummary, Storage } from '../storage/storage.ts';
import { isLocal } from './local-accounts.ts';

export interface ReconciliationOptions {
  readonly storage: Pick<Storage, 'lives'>;
  readonly maps: Pick<UserMaps, 'lookUp' | 'covers'>;
  /** All addresses that the directories show, in lower case; undefined where there is no directory. Rejects with `directory-unavailable` where not all can be had. */
  readonly listed: (() => Promise<ReadonlySet<string>>) | undefined;
  readonly everyMs: number;
  /** In how many comparisons in a row an entry has to be missing. */
  readonly confirmations: number;
  /** Of 100 accounts, how many may be missing at once; one always may. */
  readonly maxMissingPercent: number;
  readonly keepDeletedMs: number;
  readonly keepVanishedMs: number;
  readonly log: Logger;
}

/** Accounts that are held since less than this count as missing at once with those that are missing now. */
const atOnceMs = 86_400_000;

export class Reconciliation {
  readonly #options: ReconciliationOptions;
  /** How often in a row an account's entry was not there. */
  readonly #missed = new Map<string, number>();

  constructor(options: ReconciliationOptions) {
    this.#options = options;
  }

  start(): Service {
    const { everyMs, log } = this.#options;
    const end = new AbortController();
    const work = async (): Promise<void> => {
      while (!end.signal.aborted) {
        await this.compare().catch((error: unknown) => {
          if (isFailure(error, 'directory-unavailable')) log.warn({ err: error }, 'accounts were not compared with the directory, which can\'t be asked');
          else log.error({ err: error }, 'accounts could not be compared with the directory');
        });
        await sleep(everyMs, undefined, { signal: end.signal, ref: false }).catch(() => undefined); // woken to end
      }
    };
    const working = work();
    const stop = async (): Promise<void> => {
      end.abort();
      await working;
    };
    return { name: 'reconciliation', stop, retire: stop };
  }

  /** One comparison. Rejects with `directory-unavailable`, and then has changed nothing but removed what was deleted long ago. */
  async compare(): Promise<void> {
    const { storage, maps, listed, keepDeletedMs } = this.#options;
    const accounts = storage.lives.list();
    for (const { address, withdrawn } of accounts) {
      if (withdrawn?.why === 'deleted' && Date.now() - withdrawn.atMs >= keepDeletedMs) await this.#remove(address, 'deleted');
    }
    // Local accounts are their own: no directory says whether they are.
    const watched = accounts.filter(({ address, ownPassword, withdrawn }) => withdrawn?.why !== 'deleted' && ownPassword === 'no' && maps.covers(address));
    if (watched.length === 0 || listed === undefined) return;
    const shown = await listed();
    const held = watched.filter(({ withdrawn }) => withdrawn !== undefined);
    const missing = await this.#missing(watched.filter(({ withdrawn }) => withdrawn === undefined), shown);
    for (const address of this.#missed.keys()) if (!missing.includes(address)) this.#missed.delete(address);
    const isSound = this.#isPlausible(missing, { held, watched, shown });
    await this.#restoreReturned(held);
    if (!isSound) return;
    for (const address of missing) await this.#miss(address);
    await this.#removeLongGone(held);
  }

  /** Asked one by one: a listing may be of another server than the one that says so in the end. */
  async #missing(live: readonly AccountSummary[], shown: ReadonlySet<string>): Promise<string[]> {
    const { maps } = this.#options;
    const missing: string[] = [];
    for (const { address } of live) {
      if (shown.has(address)) continue;
      const entry = await maps.lookUp(address, 'also deleted');
      if (entry === undefined && !isLocal(maps, entry, address)) missing.push(address);
    }
    return missing;
  }

  #isPlausible(missing: readonly string[], { held, watched, shown }: { readonly held: readonly AccountSummary[]; readonly watched: readonly AccountSummary[]; readonly shown: ReadonlySet<string> }): boolean {
    const { maxMissingPercent, log } = this.#options;
    if (missing.length === 0) return shown.size > 0;
    const lately = held.filter(({ withdrawn }) => Date.now() - (withdrawn?.atMs ?? 0) < atOnceMs).length;
    const gone = missing.length + lately;
    const most = Math.max(1, Math.floor((watched.length * maxMissingPercent) / 100));
    if (shown.size > 0 && gone <= most) return true;
    this.#missed.clear();
    log.error({ alert: 'mass-disappearance', missing: missing.length, heldLately: lately, accounts: watched.length, most, listed: shown.size, some: missing.slice(0, 10) },
      'the directory lacks more accounts at once than accounts.maxVanishedPercent allows: that is taken for an accident, and nothing happens to them');
    return false;
  }

  async #miss(address: string): Promise<void> {
    const { confirmations, storage, log } = this.#options;
    const times = (this.#missed.get(address) ?? 0) + 1;
    this.#missed.set(address, times);
    if (times < confirmations) {
      log.warn({ account: address, times, of: confirmations }, 'the directory has no entry of an account');
      return;
    }
    this.#missed.delete(address);
    await this.#unlessMoving(address, async () => {
      await storage.lives.withdraw(address, 'vanished');
      log.warn({ audit: 'account-held', account: address, by: 'directory' }, 'the directory has no entry of the account any more: it is held, its mail is untouched');
    });
  }

  async #restoreReturned(held: readonly AccountSummary[]): Promise<void> {
    const { maps, storage, log } = this.#options;
    for (const { address } of held) {
      if ((await maps.lookUp(address, 'also deleted'))?.address !== address) continue;
      await this.#unlessMoving(address, async () => {
        await storage.lives.restore(address);
        log.warn({ audit: 'account-restored', account: address, by: 'directory' }, 'the directory has the entry again: the account is taken up again');
      });
    }
  }

  async #removeLongGone(held: readonly AccountSummary[]): Promise<void> {
    const { storage, keepVanishedMs } = this.#options;
    for (const { address, withdrawn } of held) {
      const isStill = storage.lives.summary(address)?.withdrawn?.why === 'vanished';
      if (isStill && Date.now() - (withdrawn?.atMs ?? 0) >= keepVanishedMs) await this.#remove(address, 'vanished');
    }
  }

  async #remove(address: string, why: 'deleted' | 'vanished'): Promise<void> {
    await this.#unlessMoving(address, async () => {
      const messages = this.#options.storage.lives.summary(address)?.messages;
      await this.#options.storage.lives.purge(address);
      this.#options.log.warn({ audit: 'account-purged', account: address, by: 'age', why, messages }, 'an account that was kept long enough is removed with its mail');
    });
  }

  /** What is being moved, or went meanwhile, is left to the next time. */
  async #unlessMoving(address: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isFailure(error)) throw error;
      this.#options.log.warn({ account: address, err: error }, 'an account was left as it is for now');
    }
  }
}
