/** PARTIAL (RFC 9394, RFC 5267 section 4.4): a window on ordered results, counted from their beginning or, with `-`, from their end. */
import { malformed } from './scanner.ts';
import type { Scanner } from './scanner.ts';

export interface ResultWindow {
  readonly from: 'start' | 'end';
  /** Both counted from 1, both belong to it; the nearer end first. */
  readonly nearest: number;
  readonly farthest: number;
  /** As the client wrote it, for the response. */
  readonly text: string;
}

const windowPattern = /^(-?)([1-9]\d{0,9}):(-?)([1-9]\d{0,9})$/;
const largestNumber = 0xffffffff;

/** Reads what stands behind `PARTIAL`, from its space on. @throws bad-input */
export function takeWindow(scanner: Scanner): ResultWindow {
  scanner.space();
  const text = scanner.until(/[^-\d:]/);
  const [, sign, first, otherSign, second] = windowPattern.exec(text) ?? [];
  const ends = [Number(first), Number(second)] as const;
  if (sign === undefined || sign !== otherSign || Math.max(...ends) > largestNumber) throw malformed('PARTIAL takes a range such as 1:100 or -1:-100');
  return { from: sign === '-' ? 'end' : 'start', nearest: Math.min(...ends), farthest: Math.max(...ends), text };
}

/** Which of `count` results are in the window: positions from 0, `to` does not belong to it. */
export function windowOn(count: number, { from, nearest, farthest }: ResultWindow): { readonly from: number; readonly to: number } {
  if (from === 'start') return { from: Math.min(nearest - 1, count), to: Math.min(farthest, count) };
  return { from: Math.max(count - farthest, 0), to: Math.max(count - nearest + 1, 0) };
}
