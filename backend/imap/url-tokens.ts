/** The INTERNAL mechanism of URLAUTH (RFC 4467 section 2.4.1): a URL is authorised by a message authentication code under the key of its mailbox. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Tells by which algorithm a token was made, should there be another one some day. */
const algorithm = '01';

/** In hexadecimal. */
export function tokenFor(key: Buffer, rump: string): string {
  return algorithm + createHmac('sha256', key).update(rump, 'latin1').digest('hex');
}

/** In the same time whatever the token is. */
export function isTokenFor(token: string, key: Buffer, rump: string): boolean {
  const expected = Buffer.from(tokenFor(key, rump), 'latin1');
  const given = Buffer.from(token.toLowerCase(), 'latin1');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
