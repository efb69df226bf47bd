/** What a table of an index offers: binary values under ordered keys. */

/** A key: its parts in the order in which they sort; numbers sort before strings, and by value. No part begins with U+10FFFF twice. */
export type Key = readonly (string | number)[];

/** Which keys of a table: `from` <= key < `to`. */
export interface KeyRange {
  readonly from: Key;
  readonly to: Key;
  readonly limit?: number;
  /** Ascending when absent. */
  readonly order?: 'descending';
}

/** One ordered table. `put`, `insert` and `remove` may be called only inside `Environment.write`. */
export interface Table {
  get(key: Key): Buffer | undefined;
  /** The value as latin1 text: costs less than half of `get`, which has to make a buffer. */
  text(key: Key): string | undefined;
  /** As `get`, without a copy: the bytes are others after the next question to any table. */
  peek(key: Key): Buffer | undefined;
  /** As `get`, in memory that is used again: the bytes may be changed, and are good until the action ends that `Environment.write` runs. */
  borrow(key: Key): Buffer | undefined;
  /** What `read` takes from the value, whose bytes are the first `length`: as `peek`, and not even an object is made for them. `read` may ask no table. */
  look<T>(key: Key, read: (bytes: Buffer, length: number) => T): T | undefined;
  put(key: Key, value: Buffer): void;
  /** As `put`, where the caller knows that there is no entry of that key: nothing has to be kept of what was there. */
  insert(key: Key, value: Buffer): void;
  remove(key: Key): void;
  /** How many entries there are; they are not read. */
  count(range: Pick<KeyRange, 'from' | 'to'>): number;
  /** Shows entries in their order, all of one commit, until `see` has enough: as `look`, without copies. The bytes of a value are the first `length`; `see` may ask no table. */
  scan(range: KeyRange, see: (key: Key, bytes: Buffer, length: number) => 'more' | 'enough'): void;
  /** Entries in their order, all of one commit; the values are copies. */
  range(range: KeyRange): { readonly key: Key; readonly value: Buffer }[];
}

/** Sorts after every part that is in use: keys sort by their UTF-8. */
const pastAnyPart = '\u{10ffff}\u{10ffff}';

/** The range of all keys that begin with `prefix`. */
export function keysUnder(prefix: Key): KeyRange {
  return { from: prefix, to: [...prefix, pastAnyPart] };
}
