/**
 * Numbers of messages (EMAILID, THREADID of RFC 8474): below 2^53, never given twice by a storage. The upper 21 bits are
 * the storage's own, drawn once, so that messages keep their numbers when their account moves to another storage.
 */
import { randomInt } from 'node:crypto';
import { counterValue, nextNumber, setCounter } from './keys.ts';
import type { Tables } from './keys.ts';

const prefixCounter = 'message-prefix';
const idCounter = 'message';
const idsOfPrefix = 2 ** 32;

/** A new number. Only inside `write`. */
export function newMessageId(tables: Tables): number {
  return prefixOf(tables) * idsOfPrefix + nextNumber(tables, idCounter);
}

/**
 * A number that a message has brought along. It may be one of this storage's own of which it knows nothing, as its index is an older one that was
 * restored from a backup: all that are given later are above it. Only inside `write`.
 */
export function noteMessageId(tables: Tables, messageId: number): void {
  const number = messageId % idsOfPrefix;
  if (Math.floor(messageId / idsOfPrefix) === counterValue(tables, prefixCounter) && number > counterValue(tables, idCounter)) setCounter(tables, idCounter, number);
}

function prefixOf(tables: Tables): number {
  const known = counterValue(tables, prefixCounter);
  if (known !== 0) return known;
  const prefix = randomInt(1, 2 ** 21);
  setCounter(tables, prefixCounter, prefix);
  return prefix;
}
