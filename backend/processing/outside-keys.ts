/** Delivery keys of recipients outside the cluster, of reports, and of mailing groups that other nodes hand messages over to: neither the world nor a group remembers anything for us, so the queue's own records do. */
import type { DeliveryRecords, Table } from '../storage/storage.ts';
import { accept, deliveryKey, settleAcceptance } from './delivery-keys.ts';
import type { Acceptance, KeyRules } from './delivery-keys.ts';
import { isOutside } from './queue-item.ts';
import type { QueueItem, QueueRecipient } from './queue-item.ts';
import { settleReports } from './report-claims.ts';
import { laterOnes, whoseTheyAre } from './retries-elsewhere.ts';
import type { AskOthers, LaterOnes, LooseAcceptance, Whose } from './retries-elsewhere.ts';

export interface OutsideKeysOptions {
  readonly records: DeliveryRecords;
  readonly rules: KeyRules;
  readonly ask: AskOthers;
}

export interface HandedToGroup {
  readonly sender: string;
  /** Of the client's bytes, hex: those of the item have the other node's trace before them. */
  readonly digest: string;
  readonly acceptance: Acceptance;
}

export class OutsideKeys {
  readonly #options: OutsideKeysOptions;

  constructor(options: OutsideKeysOptions) {
    this.#options = options;
  }

  /** Whether a recipient outside is to get the item's message, which is recorded. Only inside a transaction. */
  isNew(records: Table, item: QueueItem, address: string): boolean {
    const { id, acceptedAtMs, confirmation, holder } = item;
    return accept(records, keyOf(item, address), { acceptance: { id, acceptedAtMs, confirmation, holder }, rules: this.#options.rules }) === 'new';
  }

  /** Whether what another node hands over for a group of this one is a message of its own, which is recorded. Only inside a transaction. */
  isNewToGroup(records: Table, { sender, digest, acceptance }: HandedToGroup, address: string): boolean {
    return accept(records, deliveryKey(sender, address, digest), { acceptance, rules: this.#options.rules }) === 'new';
  }

  /** Notes how the session of an item ended. Only inside a transaction. */
  settle(records: Table, item: QueueItem, confirmation: 'confirmed' | 'loose'): void {
    if (confirmation === 'loose') settleReports(records, item, confirmation); // a confirmed one is as good as open
    for (const { address, destination } of item.recipients) {
      if (isOutside(destination)) settleAcceptance(records, keyOf(item, address), { name: item, confirmation });
    }
  }

  /** Whose an item with a loose acceptance is to send, for each of these recipients. */
  async whose(item: QueueItem, recipients: readonly QueueRecipient[]): Promise<readonly Whose[]> {
    const { records, rules, ask } = this.#options;
    const { id, acceptedAtMs } = item;
    return whoseTheyAre(records, recipients.map(({ address }) => ({ key: keyOf(item, address), name: { id, acceptedAtMs } })), { rules, ask });
  }

  /** What another node that asks so is answered. */
  laterOnes(loose: readonly LooseAcceptance[]): LaterOnes {
    return laterOnes(this.#options.records, loose, this.#options.rules);
  }
}

function keyOf({ sender, digest }: QueueItem, address: string): string {
  return deliveryKey(sender.address, address, digest);
}
