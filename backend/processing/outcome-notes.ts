/**
 * Writes down what tries of delivery brought, with the reports to the sender. Until that is on disk the next try would be the same once more, and
 * whoever outside has the message would get it again: so it is tried until it is written, and what keeps a report from being made keeps no outcome.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Table } from '../storage/storage.ts';
import type { MadeReports } from './new-item.ts';
import { countReports } from './queue-counters.ts';
import { withKeysOutside } from './queue-item.ts';
import type { QueueItem } from './queue-item.ts';
import type { QueueStore } from './queue-store.ts';
import { delayAfter } from './retry-schedule.ts';
import type { DoublingDelay, RetryOptions } from './retry-schedule.ts';
import { conclude } from './try-outcome.ts';
import type { DueReport, TryOutcome } from './try-outcome.ts';

export interface OutcomeNotesOptions {
  readonly store: QueueStore;
  readonly retry: RetryOptions;
  /** What of these is to be told: not what the sender has heard of an earlier try of the same message. */
  readonly claimReports: (item: QueueItem, reports: readonly DueReport[]) => Promise<readonly DueReport[]>;
  /** Makes the queue items of reports to the sender, with their bytes on disk. */
  readonly makeReports: (item: QueueItem, reports: readonly DueReport[]) => Promise<MadeReports>;
  /** Whether a recipient outside is to get the item's message, which is recorded. Inside the transaction that changes the item. */
  readonly isNewOutside: (records: Table, item: QueueItem, address: string) => boolean;
  readonly log: Logger;
  /** The node must stop: what can't be written is given up. */
  readonly signal: AbortSignal;
}

/** Between tries to write down: commits of a storage that is locked for a snapshot fail after half a minute each. */
const pause: DoublingDelay = { firstDelayMs: 500, maxDelayMs: 10_000 };

const none: MadeReports = { items: [], done: () => undefined };

export class OutcomeNotes {
  readonly #options: OutcomeNotesOptions;

  constructor(options: OutcomeNotesOptions) {
    this.#options = options;
  }

  /** On stable storage when it resolves. Rejects with why it could not be written once the signal has come. */
  async write(item: QueueItem, outcomes: ReadonlyMap<number, TryOutcome>): Promise<void> {
    const { log, signal } = this.#options;
    const nowMs = Date.now();
    for (let failures = 1; ; failures += 1) {
      try {
        return await this.#tryWriting(item, outcomes, nowMs);
      } catch (error) {
        if (!isFailure(error)) throw error;
        if (failures === 1) log.error({ err: error, item: item.id }, 'what a delivery brought could not be written down: it is tried until it is');
        await sleep(delayAfter(pause, failures, 0), undefined, { signal }).catch(() => undefined); // cut
        if (signal.aborted) throw error;
      }
    }
  }

  async #tryWriting(item: QueueItem, outcomes: ReadonlyMap<number, TryOutcome>, nowMs: number): Promise<void> {
    const { store, retry, isNewOutside, claimReports } = this.#options;
    const due = conclude(item, outcomes, { retry, nowMs }).reports;
    const claimed = due.length === 0 ? due : await claimReports(item, due);
    const made = await this.#made(item, claimed);
    const reports = made === undefined ? 'not made' : 'made';
    try {
      await store.change(item.id, (fresh, records) => {
        return withKeysOutside(fresh, conclude(fresh, outcomes, { retry, nowMs, reports }).item, (address) => isNewOutside(records, fresh, address));
      }, made?.items);
    } finally {
      made?.done();
    }
    if (made !== undefined) countReports(claimed.map(({ action }) => action));
  }

  /** Undefined where they can't be made. */
  async #made(item: QueueItem, reports: readonly DueReport[]): Promise<MadeReports | undefined> {
    if (reports.length === 0) return none;
    try {
      return await this.#options.makeReports(item, reports);
    } catch (error) {
      this.#options.log.error({ err: error, item: item.id, reports: reports.map(({ action }) => action) }, 'a report to the sender could not be made: of what failed or is late it is made later');
      return undefined;
    }
  }
}
