/** A way to the outside on which only that goes which no other node has taken as its client's retry (retries-elsewhere.ts). */
import { ownWords } from './lanes.ts';
import type { Lane } from './lanes.ts';
import type { OutsideKeys } from './outside-keys.ts';
import type { LookedAtItem, QueueItem, QueueRecipient } from './queue-item.ts';
import type { Whose } from './retries-elsewhere.ts';
import type { TryOutcome } from './try-outcome.ts';

export interface RetriedLaneOptions {
  readonly keys: Pick<OutsideKeys, 'whose'>;
  /** Whether an item waits for a node that does not answer: not for ever, and not without a reason. */
  readonly waitsForSilent: (item: QueueItem) => boolean;
  readonly outageDueAtMs: () => number;
}

export class RetriedLane implements Lane {
  readonly #lane: Lane;
  readonly #options: RetriedLaneOptions;

  constructor(lane: Lane, options: RetriedLaneOptions) {
    this.#lane = lane;
    this.#options = options;
  }

  get usable(): boolean {
    return this.#lane.usable;
  }

  async deliver(item: LookedAtItem, recipients: readonly QueueRecipient[]): Promise<readonly TryOutcome[]> {
    if (item.confirmation !== 'loose') return this.#lane.deliver(item, recipients);
    const whose = await this.#options.keys.whose(item, recipients);
    const decided = recipients.map((_, index) => this.#withoutTry(item, whose[index] ?? { at: 'ours' }));
    const ours = recipients.filter((_, index) => decided[index] === undefined);
    const tried = ours.length === 0 ? [] : await this.#lane.deliver(item, ours);
    return recipients.map((recipient, index) => decided[index] ?? tried[ours.indexOf(recipient)] ?? this.#later('no outcome'));
  }

  async close(): Promise<void> {
    await this.#lane.close();
  }

  /** Undefined: it is to be tried. */
  #withoutTry(item: QueueItem, whose: Whose): TryOutcome | undefined {
    if (whose.at === 'elsewhere') return { at: 'delivered', told: undefined, report: 'none', words: ownWords('2.0.0', 'the client sent it again, and that was taken elsewhere', whose.node) };
    if (whose.at === 'ours' || !this.#options.waitsForSilent(item)) return undefined;
    return this.#later(`${whose.silent} may have taken the client's retry, and does not answer`);
  }

  #later(text: string): TryOutcome {
    return { at: 'outage', dueAtMs: this.#options.outageDueAtMs(), words: ownWords('4.4.1', text) };
  }
}
