/** Ids that follow one session, and one message, through every node and log. */
import { randomFillSync } from 'node:crypto';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const idLength = 16;
/** Random bytes for many ids, since asking for a few costs as much as asking for all of them. */
const pool = Buffer.alloc(256 * idLength);
let used = pool.length;

/** What is taken for a session id from other servers: Dovecot's are base64. */
export const sessionIdPattern = /^[A-Za-z0-9+/=._-]{1,64}$/;

/** A new session id: 16 characters of [a-z0-9], 80 random bits; unique enough to search all logs by. */
export function newSessionId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  let id = '';
  for (const end = used + idLength; used < end; used += 1) id += alphabet.charAt((pool[used] ?? 0) & 31);
  return id;
}
