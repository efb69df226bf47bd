/**
 * Messages that were found, by columns, in the order that was asked for (pure): of a frequent word there are tens of thousands, and an object and a
 * text for each would cost more than finding them.
 */
import type { Numbered } from './view.ts';

export interface FoundList {
  readonly sequences: ArrayLike<number>;
  readonly uids: ArrayLike<number>;
  /** Where they may be told. */
  readonly modseqs?: ArrayLike<number> | undefined;
  /** Of a FUZZY search, 1 to 100 (RFC 6203); undefined within for what has none. */
  readonly relevancies?: ArrayLike<number | undefined> | undefined;
  /** Of a list that is kept: how a column of it is written, once somebody has asked. */
  readonly written?: Map<ArrayLike<number>, string>;
}

export function foundOf(messages: readonly Numbered[]): FoundList {
  return {
    sequences: messages.map(({ sequence }) => sequence),
    uids: messages.map(({ row }) => row.uid),
    modseqs: messages.map(({ row }) => row.modseq),
    relevancies: messages.map(({ relevancy }) => relevancy),
  };
}

/** Those at these indexes, in that order. */
export function pick({ sequences, uids, modseqs, relevancies }: FoundList, indexes: ArrayLike<number>): FoundList {
  return { sequences: numbersAt(sequences, indexes), uids: numbersAt(uids, indexes), modseqs: modseqs && numbersAt(modseqs, indexes), relevancies: relevancies && Array.from(indexes, (index) => relevancies[index]) };
}

function numbersAt(column: ArrayLike<number>, indexes: ArrayLike<number>): number[] {
  const numbers = new Array<number>(indexes.length);
  for (let at = 0; at < indexes.length; at += 1) numbers[at] = column[indexes[at] ?? 0] ?? 0;
  return numbers;
}

const zero = 48;
/** Of 32 bits: no sequence number and no uid is longer. */
const mostDigits = 10;

/** The numbers (sequence numbers, uids) with a space before each. */
export function spaced(numbers: ArrayLike<number>): string {
  const bytes = Buffer.allocUnsafe(numbers.length * (mostDigits + 1));
  let at = bytes.length;
  for (let index = numbers.length - 1; index >= 0; index -= 1) {
    let value = numbers[index] ?? 0;
    do {
      const rest = Math.floor(value / 10);
      bytes[--at] = zero + value - 10 * rest;
      value = rest;
    } while (value > 0);
    bytes[--at] = 32;
  }
  return bytes.toString('latin1', at);
}

/** A column of the list, written so. */
export function spacedColumn({ written }: FoundList, column: ArrayLike<number>): string {
  const known = written?.get(column);
  if (known !== undefined) return known;
  const text = spaced(column);
  written?.set(column, text);
  return text;
}
