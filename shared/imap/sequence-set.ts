/** Sequence sets (RFC 9051 section 9): `2,4:7,12:*` and `$`, read and written. */
import { malformed } from './scanner.ts';
import type { Scanner } from './scanner.ts';

/** Both ends belong to it; `first` <= `last`. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** `$` (the saved search result), or ranges whose ends may be Infinity, which stands for `*`. */
export type SequenceSet = 'saved' | readonly Range[];

const setPattern = /^(?:\d{1,10}|\*)(?::(?:\d{1,10}|\*))?(?:,(?:\d{1,10}|\*)(?::(?:\d{1,10}|\*))?)*$/;
/** Of a message. */
export const largestNumber = 0xffffffff;

/** Takes a sequence set from a command. @throws bad-input */
export function takeSequenceSet(scanner: Scanner): SequenceSet {
  if (scanner.accept('$')) return 'saved';
  return parseSequenceSet(scanner.until(/[^\d:,*]/));
}

/** Takes a set that may hold neither `$` nor `*` (known-uids of RFC 7162). @throws bad-input */
export function takeKnownSet(scanner: Scanner): readonly Range[] {
  const set = takeSequenceSet(scanner);
  if (set === 'saved' || set.some((range) => range.last === Infinity)) throw malformed('expected a set of numbers');
  return set;
}

/** @throws bad-input */
export function parseSequenceSet(text: string): readonly Range[] {
  if (!setPattern.test(text)) throw malformed('malformed sequence set');
  return text.split(',').map((part) => {
    const [from = '', to = from] = part.split(':');
    const ends = [parseEnd(from), parseEnd(to)] as const;
    return { first: Math.min(...ends), last: Math.max(...ends) };
  });
}

function parseEnd(text: string): number {
  if (text === '*') return Infinity;
  const value = Number(text);
  if (value === 0 || value > largestNumber) throw malformed('numbers in a set go from 1 to 4294967295');
  return value;
}

/** The same set sorted, without overlaps, `*` replaced by `largest` (which 7:* includes even if it is below 7). */
export function resolveRanges(ranges: readonly Range[], largest: number): Range[] {
  const resolved = ranges.map(({ first, last }) => {
    const ends = [first === Infinity ? largest : first, last === Infinity ? largest : last] as const;
    return { first: Math.min(...ends), last: Math.max(...ends) };
  });
  resolved.sort((a, b) => a.first - b.first);
  const merged: { first: number; last: number }[] = [];
  for (const range of resolved) {
    const previous = merged.at(-1);
    if (previous !== undefined && range.first <= previous.last + 1) previous.last = Math.max(previous.last, range.last);
    else merged.push({ ...range });
  }
  return merged;
}

/** True when a number is in a set that `resolveRanges` made. */
export function inRanges(ranges: readonly Range[], value: number): boolean {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (range === undefined || value < range.first) high = middle - 1;
    else if (value > range.last) low = middle + 1;
    else return true;
  }
  return false;
}

/** Those of the numbers, which ascend, that are in a set that `resolveRanges` made: one walk along both. */
export function numbersWithin(ranges: readonly Range[], numbers: readonly number[]): number[] {
  let at = 0;
  return numbers.filter((value) => {
    while ((ranges[at]?.last ?? Infinity) < value) at += 1;
    return (ranges[at]?.first ?? Infinity) <= value;
  });
}

/** Writes ascending numbers as a set: `1:3,7`. Order is kept, so that two sets written so correspond (COPYUID, RFC 4315). */
export function formatSet(numbers: ArrayLike<number>): string {
  const parts: string[] = [];
  let first: number | undefined;
  let last = 0;
  const finish = (): void => {
    if (first !== undefined) parts.push(first === last ? String(first) : `${String(first)}:${String(last)}`);
  };
  for (let index = 0; index < numbers.length; index += 1) {
    const value = numbers[index] ?? 0;
    if (first === undefined || value !== last + 1) {
      finish();
      first = value;
    }
    last = value;
  }
  finish();
  return parts.join(',');
}
