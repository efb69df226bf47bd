/**
 * UIDVALIDITY values (RFC 9051 section 2.3.1.1): non-zero 32-bit numbers that a storage never gives twice and that grow.
 * The upper 24 bits count spans of 128 seconds since 2026 and are pushed on when a span is used up, the lower 8 are
 * random, so that two nodes that make a mailbox of the same name do not agree by accident.
 */
import { randomInt } from 'node:crypto';
import { counterValue, setCounter } from './keys.ts';
import type { Tables } from './keys.ts';

const firstYearMs = Date.UTC(2026, 0, 1);
const spanMs = 128_000;
const counter = 'uid-validity-span';

/** A new UIDVALIDITY. Only inside `write`. */
export function newUidValidity(tables: Tables, nowMs: number = Date.now()): number {
  const span = Math.max(counterValue(tables, counter) + 1, Math.floor((nowMs - firstYearMs) / spanMs), 1);
  if (span >= 2 ** 24) throw new Error('all UIDVALIDITY values have been used');
  setCounter(tables, counter, span);
  return span * 256 + randomInt(256);
}

/** A value that comes from elsewhere: all that are given later are above it. Only inside `write`. */
export function noteUidValidity(tables: Tables, value: number): void {
  const span = Math.floor(value / 256);
  if (span > counterValue(tables, counter)) setCounter(tables, counter, span);
}
