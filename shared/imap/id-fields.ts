/** The argument of ID (RFC 2971): what a client, or a proxy on behalf of one, tells of itself. Pure. */
import { malformed } from './scanner.ts';
import type { Scanner } from './scanner.ts';

/** RFC 2971 section 3.3: at most 30 pairs, names up to 30 octets, values up to 1024. */
const mostFields = 30;
const longestName = 30;
const longestValue = 1024;

/** In which a front-end tells a back-end the terms of a leg (shared/legs). */
export const legField = 'x-leg-terms';

/** In which a back-end tells another one whose folders somebody wants to see. */
export const guestField = 'x-guest-of';

/** In which it says that it understands how folders are told of which NOTIFY tells (backend/imap/notified-names.ts), and in which version: `1`. */
export const notifiedField = 'x-hears-notified';

/** In which a back-end answers that it tells folders so. */
export const saysNotifiedField = 'x-says-notified';

/** Names in lower case to values; fields that are NIL are left out. @throws bad-input */
export function parseIdFields(scanner: Scanner): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  if (scanner.acceptWord('NIL')) return fields;
  scanner.list(
    () => {
      const name = scanner.string().toLowerCase();
      scanner.space();
      const value = scanner.nstring();
      if (fields.size >= mostFields || name.length > longestName || (value?.length ?? 0) > longestValue) throw malformed('ID holds too much');
      if (value !== undefined) fields.set(name, value);
    },
    { mayBeEmpty: 'yes' },
  );
  return fields;
}

/** `"name" "value" …` without the brackets. Characters that a quoted string can't hold become `?`. */
export function formatIdFields(fields: Iterable<readonly [string, string]>): string {
  return Array.from(fields, ([name, value]) => `${quoted(name)} ${quoted(value)}`).join(' ');
}

const neverQuoted = /[^\x20-\x7e]|["\\]/;

function quoted(text: string): string {
  if (!neverQuoted.test(text)) return `"${text}"`; // the usual case, at every login
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, '\\$&')}"`;
}
