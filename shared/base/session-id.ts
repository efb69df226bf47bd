/** Ids that follow one session, and one message, through every node and log. */
import { randomBytes } from 'node:crypto';

/** What is taken for a session id from other servers: Dovecot's are base64. */
export const sessionIdPattern = /^[A-Za-z0-9+/=._-]{1,64}$/;

/** A new session id: 16 characters of [a-z0-9], 80 random bits; unique enough to search all logs by. */
export function newSessionId(): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  return Array.from(randomBytes(16), (byte) => alphabet[byte & 31]).join('');
}
