/**
 * A table of entries that the actions of a transaction change again and again, as counters: what becomes of each is written once,
 * before its commit. An action that throws has its changes undone as in other tables, by the journal.
 */
import type { LmdbTable, WriteJournal } from './lmdb-table.ts';
import type { Key, KeyRange, Table } from './table.ts';

/** What an entry is now, for the transaction that runs; `value` is undefined where it is removed. */
interface Held {
  readonly key: Key;
  readonly value: Buffer | undefined;
}

export class GatheringTable implements Table {
  readonly #table: LmdbTable;
  readonly #journal: WriteJournal;
  /** Of the transaction that runs; empty outside of one. */
  readonly #held = new Map<string | number, Held>();

  /** @param table whose writes no journal notes */
  constructor(table: LmdbTable, journal: WriteJournal) {
    this.#table = table;
    this.#journal = journal;
  }

  get(key: Key): Buffer | undefined {
    const held = this.#heldOf(key);
    return held === undefined ? this.#table.get(key) : held.value;
  }

  peek(key: Key): Buffer | undefined {
    const held = this.#heldOf(key);
    return held === undefined ? this.#table.peek(key) : held.value;
  }

  borrow(key: Key): Buffer | undefined {
    const held = this.#heldOf(key);
    return held === undefined ? this.#table.borrow(key) : held.value && Buffer.from(held.value);
  }

  text(key: Key): string | undefined {
    const held = this.#heldOf(key);
    return held === undefined ? this.#table.text(key) : held.value?.toString('latin1');
  }

  look<T>(key: Key, read: (bytes: Buffer, length: number) => T): T | undefined {
    const held = this.#heldOf(key);
    if (held === undefined) return this.#table.look(key, read);
    return held.value === undefined ? undefined : read(held.value, held.value.length);
  }

  put(key: Key, value: Buffer): void {
    this.#change(key, value);
  }

  insert(key: Key, value: Buffer): void {
    this.#change(key, value);
  }

  remove(key: Key): void {
    this.#change(key, undefined);
  }

  count(range: Pick<KeyRange, 'from' | 'to'>): number {
    this.finish();
    return this.#table.count(range);
  }

  scan(range: KeyRange, see: (key: Key, bytes: Buffer, length: number) => 'more' | 'enough'): void {
    this.finish();
    this.#table.scan(range, see);
  }

  range(range: KeyRange): { readonly key: Key; readonly value: Buffer }[] {
    this.finish();
    return this.#table.range(range);
  }

  /** Writes what is held: before the commit, and before a range is read. Who is undone afterwards holds anew what his changes replaced. */
  finish(): void {
    for (const { key, value } of this.#held.values()) {
      if (value === undefined) this.#table.remove(key);
      else this.#table.put(key, value);
    }
    this.#held.clear();
  }

  /** The transaction is given up. */
  forget(): void {
    this.#held.clear();
  }

  #heldOf(key: Key): Held | undefined {
    return this.#held.size === 0 ? undefined : this.#held.get(nameOf(key));
  }

  #change(key: Key, value: Buffer | undefined): void {
    const name = nameOf(key);
    const held = this.#held.get(name);
    const before = held === undefined ? this.#table.get(key) : held.value;
    this.#journal.noteUndo(() => this.#held.set(name, { key, value: before }));
    this.#held.set(name, { key, value });
  }
}

function nameOf(key: Key): string | number {
  const [only] = key;
  return key.length === 1 && only !== undefined ? only : JSON.stringify(key);
}
