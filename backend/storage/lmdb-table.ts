/** One table of an LMDB environment, and what is needed to undo what one action has written in a transaction that it shares. */
import type { Database } from 'lmdb';
import { Failure } from '../../shared/base/failure.ts';
import type { ActionMemory } from './action-memory.ts';
import type { Key, KeyRange, Table } from './table.ts';

export type LmdbKey = Key & (string | number)[];
export type Records = Database<Buffer, LmdbKey>;

/** While it is closing, writes that had begun go on. */
export interface Use {
  stage: 'open' | 'closing' | 'closed';
}

/** What a table is opened with. `decode` takes the values of a range as they lie in the binding's memory, good until the next question, only their `length` the value's; without it each is copied. */
export const tableOptions = { encoding: 'binary', encoder: { encode: (value: Buffer): Buffer => value, decode: (bytes: Buffer): Buffer => bytes } } as const;

export function closed(): Failure {
  return new Failure('storage-failure', 'this storage is closed: it is taken out, or the process ends');
}

/** What a write replaced. */
interface Replaced {
  readonly database: Records;
  readonly key: (string | number)[];
  readonly before: { readonly from: number; readonly to: number } | undefined;
}

/** Bytes that a journal holds at rest. */
const journalBytes = 64 * 1024;

/**
 * What was there before the writes of the action that is being run, where it shares its transaction: between `begin` and `end`. It lies in memory that
 * is used again, since a buffer for each value, which mostly nobody asks for, keeps the collector running.
 */
export class WriteJournal {
  #writes: (Replaced | (() => void))[] | undefined;
  #memory = Buffer.allocUnsafeSlow(journalBytes);
  #used = 0;

  begin(): void {
    this.#writes = [];
  }

  /** Before each write. */
  note(database: Records, key: (string | number)[]): void {
    if (this.#writes === undefined) return;
    const shared = database.getBinaryFast(key);
    this.#writes.push({ database, key, before: shared === undefined ? undefined : this.#keep(shared, shared.length) });
  }

  /** Before a write where nothing is. */
  noteNew(database: Records, key: (string | number)[]): void {
    this.#writes?.push({ database, key, before: undefined });
  }

  /** Before a write that is not yet one of the database's. */
  noteUndo(undo: () => void): void {
    this.#writes?.push(undo);
  }

  undo(): void {
    for (const write of this.#writes?.reverse() ?? []) {
      if (typeof write === 'function') write();
      else if (write.before === undefined) write.database.removeSync(write.key);
      else write.database.putSync(write.key, this.#memory.subarray(write.before.from, write.before.to));
    }
  }

  end(): void {
    this.#writes = undefined;
    this.#used = 0;
    if (this.#memory.length > journalBytes) this.#memory = Buffer.allocUnsafeSlow(journalBytes);
  }

  /** @param length of the value, which the memory that the binding lends may exceed */
  #keep(shared: Buffer, length: number): { readonly from: number; readonly to: number } {
    const from = this.#used;
    const to = from + length;
    if (to > this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(to, 2 * this.#memory.length));
      this.#memory.copy(larger, 0, 0, from);
      this.#memory = larger;
    }
    shared.copy(this.#memory, from, 0, length);
    this.#used = to;
    return { from, to };
  }
}

/** Of a table whose writes are undone elsewhere. */
export const noJournal: Pick<WriteJournal, 'note' | 'noteNew'> = { note: () => undefined, noteNew: () => undefined };

export class LmdbTable implements Table {
  readonly #database: Records;
  readonly #journal: Pick<WriteJournal, 'note' | 'noteNew'>;
  readonly #use: Use;
  readonly #borrow: (bytes: Buffer, length: number) => Buffer;

  constructor(database: Records, { journal, memory, use }: { readonly journal: Pick<WriteJournal, 'note' | 'noteNew'>; readonly memory: ActionMemory; readonly use: Use }) {
    this.#database = database;
    this.#journal = journal;
    this.#use = use;
    this.#borrow = (bytes, length) => memory.copy(bytes, length);
  }

  get(key: Key): Buffer | undefined {
    if (this.#use.stage === 'closed') throw closed(); // LMDB would read memory that is not its any more
    return this.#database.getBinary(asLmdbKey(key));
  }

  text(key: Key): string | undefined {
    return this.look(key, asLatin1);
  }

  peek(key: Key): Buffer | undefined {
    return this.look(key, asBytes);
  }

  borrow(key: Key): Buffer | undefined {
    return this.look(key, this.#borrow);
  }

  look<T>(key: Key, read: (bytes: Buffer, length: number) => T): T | undefined {
    if (this.#use.stage === 'closed') throw closed();
    const shared = this.#database.getBinaryFast(asLmdbKey(key)); // memory of the binding's, good until the next question; only its `length` is the value's
    return shared === undefined ? undefined : read(shared, shared.length);
  }

  put(key: Key, value: Buffer): void {
    const place = asLmdbKey(key);
    this.#journal.note(this.#database, place);
    this.#database.putSync(place, value);
  }

  insert(key: Key, value: Buffer): void {
    const place = asLmdbKey(key);
    this.#journal.noteNew(this.#database, place);
    this.#database.putSync(place, value);
  }

  remove(key: Key): void {
    const place = asLmdbKey(key);
    this.#journal.note(this.#database, place);
    this.#database.removeSync(place);
  }

  count({ from, to }: Pick<KeyRange, 'from' | 'to'>): number {
    if (this.#use.stage === 'closed') throw closed();
    return this.#database.getKeysCount({ start: asLmdbKey(from), end: asLmdbKey(to) });
  }

  scan(range: KeyRange, see: (key: Key, bytes: Buffer, length: number) => 'more' | 'enough'): void {
    if (this.#use.stage === 'closed') throw closed();
    const bounds = range.order === 'descending'
      ? { start: asLmdbKey(range.to), exclusiveStart: true, end: asLmdbKey(range.from), inclusiveEnd: true, reverse: true }
      : { start: asLmdbKey(range.from), end: asLmdbKey(range.to) };
    const options = { ...bounds, ...(range.limit === undefined ? {} : { limit: range.limit }) };
    for (const { key, value } of this.#database.getRange(options)) {
      if (see(asKey(key), value, value.length) === 'enough') return;
    }
  }

  range(range: KeyRange): { readonly key: Key; readonly value: Buffer }[] {
    const entries: { readonly key: Key; readonly value: Buffer }[] = [];
    this.scan(range, (key, bytes, length) => {
      entries.push({ key, value: Buffer.from(asBytes(bytes, length)) });
      return 'more';
    });
    return entries;
  }
}

function asLatin1(bytes: Buffer, length: number): string {
  return bytes.toString('latin1', 0, length);
}

function asBytes(bytes: Buffer, length: number): Buffer {
  return bytes.subarray(0, length);
}

/** The binding changes no key; a copy would cost a tenth of a look-up. */
function asLmdbKey(key: Key): (string | number)[] {
  return key as (string | number)[];
}

/** LMDB's binding gives a key of one part back as that part alone. */
function asKey(key: Key | string | number): Key {
  return typeof key === 'object' ? key : [key];
}
