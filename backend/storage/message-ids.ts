/**
 * Numbers of messages (EMAILID, THREADID of RFC 8474): below 2^53, never given twice by a storage. The upper 21 bits are
 * the storage's own, drawn once, so that messages keep their numbers when their account moves to another storage.
 */
import { randomInt } from 'node:crypto';
import { counterValue, nextNumber, setCounter } from './keys.ts';
import type { Tables } from './keys.ts';

const prefixCounter = 'message-prefix';

/** A new number. Only inside `write`. */
export function newMessageId(tables: Tables): number {
  return prefixOf(tables) * 2 ** 32 + nextNumber(tables, 'message');
}

function prefixOf(tables: Tables): number {
  const known = counterValue(tables, prefixCounter);
  if (known !== 0) return known;
  const prefix = randomInt(1, 2 ** 21);
  setCounter(tables, prefixCounter, prefix);
  return prefix;
}
