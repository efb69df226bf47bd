/** Reads entries that are asked for by consecutive numbers: from a run of neighbours on, a range gives many for one search of the tree. */
import type { Table } from './table.ts';

/** Numbers in a row that have to be asked for before any is read ahead: a range begins more slowly than a look-up. */
const fewestNeighbours = 8;
/** So many are read ahead at most, and so many bytes of values: what is taken from them is held meanwhile. */
const mostEntries = 256;
const mostBytes = 128 * 1024;

/** For entries that never change. What was read ahead is not read again. */
export class ReadAhead<T> {
  readonly #table: Pick<Table, 'look' | 'scan'>;
  readonly #read: (bytes: Buffer, length: number) => T;
  /** Of the numbers from `#first` on; undefined where there is no entry. */
  #values: (T | undefined)[] = [];
  #first = 0;
  /** How many were asked for in a row before `#first`. */
  #neighbours = 0;
  readonly #key: [number | string] = ['']; // as MessageStore's

  /** @param read what is taken from a value, whose bytes are the first `length`; it may ask no table */
  constructor(table: Pick<Table, 'look' | 'scan'>, read: (bytes: Buffer, length: number) => T) {
    this.#table = table;
    this.#read = read;
  }

  /** What is taken from the entry `[number]`; undefined where there is none. */
  of(number: number): T | undefined {
    const place = number - this.#first;
    if (place >= 0 && place < this.#values.length) return this.#values[place];
    this.#neighbours = place === this.#values.length ? this.#neighbours + place : 0;
    this.#first = number;
    this.#values = this.#neighbours < fewestNeighbours ? [this.#one(number)] : this.#many(number, Math.min(this.#neighbours, mostEntries));
    return this.#values[0];
  }

  #one(number: number): T | undefined {
    this.#key[0] = number;
    return this.#table.look(this.#key, this.#read);
  }

  #many(first: number, count: number): (T | undefined)[] {
    const values: (T | undefined)[] = [undefined]; // no more are known than up to the last entry that was found: others may be made later
    let read = 0;
    this.#table.scan({ from: [first], to: [first + count] }, ([number], bytes, length) => {
      const place = Number(number) - first;
      while (values.length < place) values.push(undefined);
      values[place] = this.#read(bytes, length);
      read += length;
      return read < mostBytes ? 'more' : 'enough';
    });
    return values;
  }
}
