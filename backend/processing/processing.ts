/**
 * The face of the room (manual 3.2.2): takes messages that smtp-receiving accepted, either straight into accounts of this
 * node or into the node's queue, and works the queue off. What it promises has been committed to stable storage.
 *
 *   smtp-receiving ──deliver──► INBOX of accounts here (one transaction with the delivery key)
 *         │
 *         └──enqueue──► queue on disk ──runner──► accounts here · LMTP to the owning node · smtp-sending · reports
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from '../../shared/log/log.ts';
import { whenMeasured } from '../../shared/metrics/metrics.ts';
import type { ConnectOptions } from '../../shared/net/connect.ts';
import type { Service } from '../../shared/service/service.ts';
import type { Siblings } from '../../shared/service/siblings.ts';
import type { EnvelopeRecipient, EnvelopeSender } from '../../shared/smtp/commands.ts';
import type { SmtpSending } from '../smtp-sending/smtp-sending.ts';
import { claimDirectory, isAlive, queueKind, tellDamageOf, thisProcess } from '../storage/storage.ts';
import type { Account, KeptFolder, MessageBytes, Storage, Table } from '../storage/storage.ts';
import { forgetAcceptances, settleAcceptance } from './delivery-keys.ts';
import type { Acceptance, KeyRules } from './delivery-keys.ts';
import { DestinationHealth } from './destination-health.ts';
import { laneOpener } from './lane-opener.ts';
import { createQueueControl } from './queue-control.ts';
import type { QueueControl } from './queue-control.ts';
import { OutsideKeys } from './outside-keys.ts';
import { SessionEnds } from './session-ends.ts';
import { claimReports } from './report-claims.ts';
import type { AskOthers, LaterOnes, LooseAcceptance } from './retries-elsewhere.ts';
import { runnerLine } from './runner-line.ts';
import type { RunnerLine } from './runner-line.ts';
import { deliverLocally } from './local-delivery.ts';
import type { LocalOutcome } from './local-delivery.ts';
import { makeItem, makeReports } from './new-item.ts';
import type { ItemMaker } from './new-item.ts';
import { createOnceOnly } from './once-only.ts';
import type { OnceOnly } from './once-only.ts';
import type { AccountsView } from './own-lane.ts';
import { countDirect, forgetQueue, measureQueue } from './queue-counters.ts';
import { isOutside, settled } from './queue-item.ts';
import type { QueueItem } from './queue-item.ts';
import { QueueRunner } from './queue-runner.ts';
import { QueueStore } from './queue-store.ts';
import type { RetryOptions } from './retry-schedule.ts';

export { askingOthers, laterRoute } from './ask-others.ts';
export { checkQueue } from './queue-check.ts';
export { acceptancesOf, adoptAcceptances } from './delivery-keys.ts';
export type { MovingAcceptance } from './delivery-keys.ts';
export { defaultRetryOptions } from './retry-schedule.ts';
export type { DoublingDelay, RetryOptions } from './retry-schedule.ts';
export type { AccountsView } from './own-lane.ts';
export { placesOf } from './local-delivery.ts';
export type { LocalOutcome } from './local-delivery.ts';
export type { QueueItem, QueueRecipient } from './queue-item.ts';
export type { Concerned } from './queue-control.ts';

/** A message at the door. */
export interface ArrivingMessage {
  readonly sender: EnvelopeSender;
  /** Received fields (and Date, Message-ID where a submission lacked them), each with its CRLF. */
  readonly trace: string;
  /** As the client sent them. */
  readonly bytes: MessageBytes;
  readonly maxBytes: number;
  /** From the queue of another node of ours. */
  readonly handedOver: Pick<Acceptance, 'id' | 'acceptedAtMs' | 'confirmation' | 'standingAtMs'> & { readonly digest: string } | undefined;
}

/** To be called once, when it is known whether the client heard the 250: `confirmed` when it went on, `loose` when it was cut. Never throws. */
export type Settle = (confirmation: 'confirmed' | 'loose') => void;

export interface Processing {
  /**
   * Puts the message into the INBOX of accounts of this node; one outcome for each. What is `stored` is on stable storage,
   * or was there already. Rejects as `deliverLocally`.
   */
  deliver(message: ArrivingMessage, accounts: readonly Account[]): Promise<{ readonly outcomes: readonly LocalOutcome[]; readonly settle: Settle }>;
  /** Takes responsibility for all recipients, wherever they are, under the item's `id`: on stable storage when it resolves. Rejects with `storage-full`, `message-too-big`, `storage-failure`. */
  enqueue(message: ArrivingMessage, recipients: readonly EnvelopeRecipient[]): Promise<{ readonly id: string; readonly settle: Settle }>;
  /** Rejects with `storage-full` when the queue takes nothing new. */
  checkSpace(): Promise<void>;
  /** Works on the queue from now on. In one worker of a node at a time. */
  startRunner(): Service;
  /** The node is said to be back: what waits for it goes at once. For the worker that has the runner. */
  tryNodeAgain(node: string): void;
  /** Items from that id on (ids sort by time), for administrators. */
  list(range: { readonly from: string; readonly limit: number }): readonly QueueItem[];
  /** What they do with one, from any worker. */
  readonly control: QueueControl;
  /** What the system itself mails. */
  readonly onceOnly: OnceOnly;
  /** What another back-end is answered that asks for later acceptances of messages (retries-elsewhere.ts). */
  laterOnes(loose: readonly LooseAcceptance[]): LaterOnes;
  /** The queue's folder, for who copies or locks it. */
  readonly kept: KeptFolder;
  /** When runner and listeners have stopped. */
  close(): Promise<void>;
}

export interface ProcessingOptions {
  readonly storage: Storage;
  readonly accounts: AccountsView;
  /** Shared by all workers of the node, and by nobody else. */
  readonly queueDirectory: string;
  /** Free space below which nothing new is taken. */
  readonly reserveBytes: number;
  readonly clusterName: string;
  readonly nodeName: string;
  /** Said in LHLO, and in reports. */
  readonly hostName: string;
  readonly primaryDomain: string;
  /** Whether the user maps are in charge of a domain (lower case, A-labels). */
  readonly isOurDomain: (domain: string) => boolean;
  /** How to reach another node's trusted LMTP listener, certificates included; undefined: not a configured node. */
  readonly lmtpOf: (node: string) => ConnectOptions | undefined;
  readonly sending: SmtpSending;
  /** Whether another back-end took a client's retry (retries-elsewhere.ts). */
  readonly askOthers: AskOthers;
  /** Administrators ask any worker, and one of them has the runner. */
  readonly siblings: Siblings;
  /** See `ItemMaker`. */
  readonly languagesFor: ItemMaker['languagesFor'];
  readonly retry: RetryOptions;
  /** Deliveries at once: `deliveryThreads` of the manual. */
  readonly maxLanes: number;
  readonly log: Logger;
}

/** Milliseconds. */
const confirmationGraceMs = 500;
const pollIntervalMs = 250;
const sweepEveryMs = 2000;
const tidyEveryMs = 600_000;
const idlePackMs = 60_000;
const handOverTimeoutMs = 600_000;
/** A client that was not told 250 is expected to try again within a day. */
const retryWindowMs = 24 * 3_600_000;
/** How long deliveries are remembered: longer than a queue holds mail. */
const memoryMs = 7 * 24 * 3_600_000;

/** Opens the node's queue. Throws `storage-failure`, also when its format is newer; `in-use` when it belongs to another node. */
export function createProcessing(options: ProcessingOptions): Processing {
  return new NodeProcessing(options);
}

class NodeProcessing implements Processing {
  readonly #options: ProcessingOptions;
  readonly #store: QueueStore;
  readonly #rules: KeyRules = { retryWindowMs, isAlive };
  readonly #health: DestinationHealth;
  readonly #maker: ItemMaker;
  readonly #outside: OutsideKeys;
  readonly control: QueueControl;
  readonly onceOnly: OnceOnly;
  readonly kept: KeptFolder;
  readonly #notes: SessionEnds;
  #runner: QueueRunner | undefined;
  #endMeasuring: () => void = () => undefined;
  /** By the clock that is never set. */
  #sweptAtMs = -Infinity;
  #tidiedAtMs = performance.now();

  constructor(options: ProcessingOptions) {
    this.#options = options;
    this.#notes = new SessionEnds(options.log);
    claimDirectory(options.queueDirectory, { cluster: options.clusterName, node: options.nodeName }, queueKind);
    this.#store = new QueueStore(options.queueDirectory, options.reserveBytes);
    this.kept = { directory: options.queueDirectory, kind: queueKind, ...this.#store.kept };
    tellDamageOf(this.#store.kept.environment, options.log, { directory: options.queueDirectory, what: 'queue' });
    this.#health = new DestinationHealth(options.retry.jitter);
    const { hostName, primaryDomain, isOurDomain, retry, languagesFor } = options;
    this.#outside = new OutsideKeys({ records: this.#store.deliveryRecords, rules: this.#rules, ask: options.askOthers });
    this.#maker = { store: this.#store, hostName, primaryDomain, isOurDomain, retry, languagesFor, confirmationGraceMs };
    this.control = createQueueControl({ store: this.#store, maker: this.#maker, retry, line: this.#lineToRunner() });
    this.onceOnly = createOnceOnly(this.#maker, () => this.#runner?.wake());
  }

  async deliver(message: ArrivingMessage, accounts: readonly Account[]): Promise<{ readonly outcomes: readonly LocalOutcome[]; readonly settle: Settle }> {
    const { handedOver } = message;
    const acceptance: Acceptance = handedOver === undefined
      ? { id: `${this.#options.nodeName}-${randomUUID()}`, acceptedAtMs: Date.now(), confirmation: 'open', holder: thisProcess() }
      : { ...handedOver, holder: '' };
    const outcomes = await deliverLocally(this.#rules, {
      accounts,
      message: { sender: message.sender.address, trace: message.trace, bytes: message.bytes, maxBytes: message.maxBytes, digest: handedOver?.digest, acceptance },
    });
    for (const { at } of outcomes) countDirect(at);
    const settle: Settle = (confirmation) => {
      if (handedOver !== undefined) return;
      for (const [index, outcome] of outcomes.entries()) {
        const records = accounts[index]?.deliveryRecords;
        if (outcome.at === 'failed') continue;
        const settleIt = (table: Table): void => settleAcceptance(table, outcome.key, { name: acceptance, confirmation });
        // A retry may be on its way of what is loose; that a client knows is noted in passing.
        const writing = confirmation === 'loose' ? records?.write(settleIt) : records?.writeAlong(settleIt);
        if (writing !== undefined) this.#notes.add(writing);
      }
    };
    return { outcomes, settle };
  }

  async enqueue(message: ArrivingMessage, recipients: readonly EnvelopeRecipient[]): Promise<{ readonly id: string; readonly settle: Settle }> {
    const { sender, trace } = message;
    const staged = await this.#store.stage(message.bytes, { maxBytes: message.maxBytes, sender: sender.address });
    try {
      await staged.settled();
      const item = makeItem(this.#maker, staged, { sender, trace, recipients, confirmation: 'open', holder: thisProcess() });
      await this.#store.add((records) => {
        const fresh = item.recipients.filter(({ address, destination }) => (isOutside(destination) ? this.#outside.isNew(records, item, address) : this.#isNewHere(records, message, address)));
        return fresh.length === 0 ? [] : [{ ...item, recipients: fresh }];
      });
      this.#runner?.wake();
      return { id: item.id, settle: (confirmation) => this.#notes.add(this.#settleItem(item, confirmation)) };
    } finally {
      staged.done();
    }
  }

  #isNewHere(records: Table, { sender, handedOver }: ArrivingMessage, address: string): boolean {
    return handedOver === undefined || this.#outside.isNewToGroup(records, { sender: sender.address, digest: handedOver.digest, acceptance: { ...handedOver, holder: '' } }, address);
  }

  async checkSpace(): Promise<void> {
    await this.#store.checkSpace();
  }

  startRunner(): Service {
    const { retry, maxLanes, log } = this.#options;
    this.#endMeasuring = whenMeasured(() => measureQueue(this.#store));
    this.#runner = new QueueRunner({
      store: this.#store, retry, health: this.#health, maxLanes, maxLanesPerDestination: Math.max(1, Math.floor(maxLanes / 4)), pollIntervalMs, log,
      openLane: laneOpener({ ...this.#options, rules: this.#rules, handOverTimeoutMs, keys: this.#outside, bytesOf: (item) => this.#store.bytesOf(item) }),
      makeReports: (item, reports) => makeReports(this.#maker, item, reports),
      claimReports: async (item, reports) => claimReports(this.#store.deliveryRecords, { item, rules: this.#rules }, reports),
      isNewOutside: (records, item, address) => this.#outside.isNew(records, item, address),
      isAlive,
      onLook: () => this.#lookAfter(),
    });
    return this.#runner;
  }

  tryNodeAgain(node: string): void {
    this.#health.reopen(`node:${node}`);
    this.#runner?.release(`node:${node}`);
  }

  list(range: { readonly from: string; readonly limit: number }): readonly QueueItem[] {
    return this.#store.list(range);
  }

  laterOnes(loose: readonly LooseAcceptance[]): LaterOnes {
    return this.#outside.laterOnes(loose);
  }

  async close(): Promise<void> {
    this.#endMeasuring();
    forgetQueue();
    await this.#notes.written(() => this.#options.storage.deliveryRecords().forEach((records) => records.hurry()));
    await this.#store.close();
  }

  #lineToRunner(): RunnerLine {
    return runnerLine(this.#options.siblings, {
      tryNow: (destinations) => {
        for (const destination of destinations) this.#health.reopen(destination);
        this.#runner?.wake();
      },
      isUnderWay: (id) => this.#runner?.isUnderWay(id) ?? false,
    });
  }

  async #settleItem(item: QueueItem, confirmation: 'confirmed' | 'loose'): Promise<void> {
    await this.#store.change(item.id, (fresh, records) => {
      this.#outside.settle(records, fresh, confirmation);
      return settled(fresh, confirmation, Date.now());
    });
    // Also of those who had the message already, for whom nothing is in the queue.
    if (confirmation === 'loose' || item.recipients.some(({ destination }) => isOutside(destination))) {
      await this.#store.deliveryRecords.write((records) => this.#outside.settle(records, item, confirmation));
    }
    this.#runner?.wake();
  }

  /** Sessions that ended with their process, and what may be forgotten. */
  async #lookAfter(): Promise<void> {
    const [nowMs, monotonicMs] = [Date.now(), performance.now()];
    if (monotonicMs - this.#sweptAtMs >= sweepEveryMs) {
      this.#sweptAtMs = monotonicMs;
      const orphans = this.#store.openIds().filter((id) => !isAlive(this.#store.get(id)?.holder ?? ''));
      if (orphans.length > 0) await this.#store.changeAll(orphans, (item) => settled(item, 'loose', nowMs));
    }
    if (monotonicMs - this.#tidiedAtMs < tidyEveryMs) return;
    this.#tidiedAtMs = monotonicMs;
    for (const records of [...this.#options.storage.deliveryRecords(), this.#store.deliveryRecords]) await forgetAcceptances(records, nowMs - memoryMs);
    await this.#store.removeDeadPacks(idlePackMs);
  }
}
