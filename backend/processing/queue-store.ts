/**
 * The queue on disk: an environment and packs of its own, shared by all workers of the node. Items are found by where they
 * go and when they are due, so that no destination stands in another's way.
 *
 * Tables: items [id] → item · due [destination, due time, id] → nothing · open [id] → nothing (client's session unsettled)
 * · records (delivery keys of mail to the outside) · once [key] → time (what is mailed once only).
 */
import { join } from 'node:path';
import { FreeSpace, keysUnder, openEnvironment, openIndexed, openPacks, wayOutOf } from '../storage/storage.ts';
import type { DeliveryRecords, Environment, KeptFolder, MessageBytes, Packs, StagedBytes, Table } from '../storage/storage.ts';
import { decodeItem, dueTimes, encodeItem, isComplete } from './queue-item.ts';
import type { Destination, QueueItem } from './queue-item.ts';

export const queueTables = { items: 'items', due: 'due', open: 'open', records: 'records', once: 'once' } as const;

const nothing = Buffer.from('1');
const pieceBytes = 256 * 1024;

export class QueueStore {
  readonly #environment: Environment;
  readonly #packs: Packs;
  readonly #space: FreeSpace;
  readonly #items: Table;
  readonly #due: Table;
  readonly #open: Table;
  readonly #records: Table;
  readonly #once: Table;

  /** @param reserveBytes below this free space nothing new is taken. Throws `storage-failure`. */
  constructor(directory: string, reserveBytes: number) {
    this.#environment = openIndexed(directory, wayOutOf(directory, 'queue'), () => openEnvironment(join(directory, 'index'), [...Object.values(queueTables), 'packs'], ['packs']));
    this.#packs = openPacks(join(directory, 'packs'), { environment: this.#environment });
    this.#space = new FreeSpace(directory, reserveBytes);
    this.#items = this.#environment.table(queueTables.items);
    this.#due = this.#environment.table(queueTables.due);
    this.#open = this.#environment.table(queueTables.open);
    this.#records = this.#environment.table(queueTables.records);
    this.#once = this.#environment.table(queueTables.once);
  }

  get kept(): Pick<KeptFolder, 'environment' | 'packs'> {
    return { environment: this.#environment, packs: this.#packs };
  }

  /** Delivery keys of recipients outside the cluster. */
  get deliveryRecords(): DeliveryRecords {
    return {
      read: (action) => this.#environment.read(() => action(this.#records)),
      write: (action) => this.#environment.write(() => action(this.#records)),
      writeAlong: (action) => this.#environment.writeAlong(() => action(this.#records)),
      hurry: () => this.#environment.hurry(),
    };
  }

  /** Throws `storage-full` when nothing new can be taken. */
  async checkSpace(): Promise<void> {
    await this.#space.check();
  }

  /** Writes a message's bytes. Throws `storage-full`, `message-too-big`, `storage-failure`, or what the source threw. */
  async stage(bytes: MessageBytes, options: { readonly maxBytes: number; readonly sender: string }): Promise<StagedBytes> {
    await this.checkSpace();
    return this.#packs.stage(bytes, { maxBytes: options.maxBytes, owner: `queue of ${options.sender}` });
  }

  /** As `stage`, of a report to the sender, also where nothing new is taken: what it reports could not go else. */
  async stageReport(bytes: Buffer): Promise<StagedBytes> {
    return this.#packs.stage([bytes], { maxBytes: bytes.length, owner: 'queue of <>' });
  }

  /** Adds what `make` returns, decided inside the transaction. The bytes must be settled. On stable storage when it resolves. */
  async add(make: (records: Table) => readonly QueueItem[]): Promise<readonly QueueItem[]> {
    return this.#environment.write(() => {
      const items = make(this.#records);
      for (const item of items) this.#enter(item);
      return items;
    });
  }

  /** Adds an item unless one was added under this key since `keptSinceMs`; what is older is forgotten. Both or nothing is on stable storage when it resolves. */
  async addOnce(key: string, item: QueueItem, keptSinceMs: number): Promise<'added' | 'known'> {
    return this.#environment.write(() => {
      for (const entry of this.#once.range({ from: [''], to: ['\uffff'] })) if (Number(entry.value.toString()) < keptSinceMs) this.#once.remove(entry.key);
      if (this.#once.get([key]) !== undefined) return 'known';
      this.#once.put([key], Buffer.from(String(item.acceptedAtMs)));
      this.#enter(item);
      return 'added';
    });
  }

  hasAdded(key: string): boolean {
    return this.read(() => this.#once.get([key]) !== undefined);
  }

  /** Changes an item, if it is still there, and adds others (reports) with it, all or nothing. Complete items are removed. The change may write to the records. */
  async change(id: string, change: (item: QueueItem, records: Table) => QueueItem, added: readonly QueueItem[] = []): Promise<void> {
    await this.#environment.write(() => {
      const before = this.get(id);
      if (before === undefined) return;
      this.#replace(before, change(before, this.#records));
      for (const item of added) this.#enter(item);
    });
  }

  /** The same change of many items in one transaction. */
  async changeAll(ids: readonly string[], change: (item: QueueItem) => QueueItem): Promise<void> {
    await this.#environment.write(() => {
      for (const id of ids) {
        const before = this.get(id);
        if (before !== undefined) this.#replace(before, change(before));
      }
    });
  }

  get(id: string): QueueItem | undefined {
    const value = this.#items.get([id]);
    return value === undefined ? undefined : decodeItem(value);
  }

  /** A fresh look: what other processes have committed counts. */
  read<T>(action: () => T): T {
    return this.#environment.read(action);
  }

  /** All destinations for which something waits, due or not. */
  destinations(): Destination[] {
    return this.read(() => {
      const found: Destination[] = [];
      let from: readonly (string | number)[] = [''];
      for (;;) {
        const [next] = this.#due.range({ from, to: ['\uffff'], limit: 1 });
        if (next === undefined) return found;
        const destination = String(next.key[0]);
        found.push(destination);
        from = keysUnder([destination]).to;
      }
    });
  }

  /** Ids of items with something due for the destination until then, earliest first. */
  dueFor(destination: Destination, range: { readonly untilMs: number; readonly limit: number }): string[] {
    const entries = this.read(() => this.#due.range({ from: [destination], to: [destination, range.untilMs + 1], limit: range.limit }));
    return entries.map(({ key }) => String(key[2]));
  }

  /** Strikes times until then at which the item, as it is, is not due for the destination: damage may have left them, and they would come first for ever. */
  async strikeFalseTimes(destination: Destination, id: string, untilMs: number): Promise<void> {
    await this.#environment.write(() => {
      const item = this.get(id);
      const dueAtMs = item === undefined ? undefined : dueTimes(item).get(destination);
      const entries = this.#due.range({ from: [destination], to: [destination, untilMs + 1] });
      for (const { key } of entries) if (key[2] === id && key[1] !== dueAtMs) this.#due.remove(key);
    });
  }

  /** Items whose client's session has not ended as far as is known. */
  openIds(): string[] {
    return this.read(() => this.#open.range({ from: [''], to: ['\uffff'] })).map(({ key }) => String(key[0]));
  }

  /** Some items, by id (and so by age). */
  list(range: { readonly from: string; readonly limit: number }): QueueItem[] {
    return this.read(() => this.#items.range({ from: [range.from], to: ['\uffff'], limit: range.limit })).map(({ value }) => decodeItem(value));
  }

  /** How many items wait, at most `limit`: those with something due now or later, counted by destination. */
  waiting(limit: number): number {
    return new Set(this.read(() => this.#due.range({ from: [''], to: ['\uffff'], limit })).map(({ key }) => key[2])).size;
  }

  async *bytesOf(item: QueueItem): AsyncGenerator<Buffer, void, void> {
    for (let at = 0; at < item.place.length; at += pieceBytes) yield await this.#packs.read(item.place, at, pieceBytes);
  }

  /** The first bytes of the message, at most `length`. */
  async firstBytes(item: QueueItem, length: number): Promise<Buffer> {
    return this.#packs.read(item.place, 0, length);
  }

  async removeDeadPacks(idleMs: number): Promise<void> {
    await this.#packs.removeDead(idleMs);
  }

  async close(): Promise<void> {
    try {
      await this.#packs.close();
    } finally {
      await this.#environment.close();
    }
  }

  #enter(item: QueueItem): void {
    this.#packs.retain(item.place);
    this.#items.put([item.id], encodeItem(item));
    for (const [destination, dueAtMs] of dueTimes(item)) this.#due.put([destination, dueAtMs, item.id], nothing);
    if (item.confirmation === 'open') this.#open.put([item.id], nothing);
  }

  #replace(before: QueueItem, after: QueueItem): void {
    for (const [destination, dueAtMs] of dueTimes(before)) this.#due.remove([destination, dueAtMs, before.id]);
    if (after.confirmation !== 'open') this.#open.remove([before.id]);
    if (isComplete(after)) {
      this.#items.remove([before.id]);
      this.#packs.release(before.place);
      return;
    }
    this.#items.put([after.id], encodeItem(after));
    for (const [destination, dueAtMs] of dueTimes(after)) this.#due.put([destination, dueAtMs, after.id], nothing);
  }
}
