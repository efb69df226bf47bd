/** Mailbox names on the wire: modified UTF-7 (RFC 3501 section 5.1.3), or UTF-8 once IMAP4rev2 is enabled (RFC 9051 section 5.1). */
import { decodeUtf8, malformed } from './scanner.ts';

/** How names travel in this session. */
export type NameEncoding = 'utf-7' | 'utf-8';

const longestNameBytes = 1000;
/** Of ASCII, and the same in both encodings and every spelling; most names are. */
const plainName = /^[\x20-\x25\x27-\x48\x4a-\x68\x6a-\x7e][\x20-\x25\x27-\x7e]*$/;

/**
 * A mailbox name from the bytes of an astring; INBOX in capitals, as the first level too, and normalised (NFC).
 * @throws bad-input for bytes that are no name, control characters, or more than 1000 bytes.
 */
export function decodeMailboxName(bytes: string, encoding: NameEncoding): string {
  if (bytes.length <= longestNameBytes && plainName.test(bytes)) return bytes;
  const name = (encoding === 'utf-8' ? decodeUtf8(bytes) : decodeUtf7(bytes)).normalize('NFC');
  if (/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(name)) throw malformed('control characters are not allowed in mailbox names');
  if (Buffer.byteLength(name) > longestNameBytes) throw malformed('mailbox name too long');
  return name.replace(/^inbox(?=\/|$)/i, 'INBOX');
}

/** The bytes of a name (latin1 text), not yet quoted. */
export function encodeMailboxName(name: string, encoding: NameEncoding): string {
  return encoding === 'utf-8' ? Buffer.from(name, 'utf8').toString('latin1') : encodeUtf7(name);
}

/** The levels above a name, the highest first. */
export function levelsAbove(name: string): string[] {
  const levels = name.split('/').slice(0, -1);
  return levels.map((_level, depth) => levels.slice(0, depth + 1).join('/'));
}

/** Modified UTF-7: printable ASCII as it is, `&` as `&-`, all else in `&`, UTF-16 in base64 with `,` for `/`, `-`. */
function encodeUtf7(name: string): string {
  return name.replaceAll(/&|[^\x20-\x7e]+/g, (run) => {
    if (run === '&') return '&-';
    const base64 = Buffer.from(run, 'utf16le').swap16().toString('base64');
    return `&${base64.replaceAll('/', ',').replaceAll('=', '')}-`;
  });
}

function decodeUtf7(bytes: string): string {
  if (/^[\x20-\x25\x27-\x7e]*$/.test(bytes)) return bytes;
  if (/[^\x00-\x7f]/.test(bytes)) throw malformed('mailbox names are in modified UTF-7 unless IMAP4rev2 is enabled');
  const name = bytes.replaceAll(/&([A-Za-z0-9+,]*)(-?)/g, (_run, base64: string, close: string) => {
    if (close === '') throw malformed('mailbox name is not modified UTF-7');
    return base64 === '' ? '&' : decodeUtf16(base64);
  });
  // Exactly one way to write each name: anything else could name a mailbox twice.
  if (encodeUtf7(name) !== bytes) throw malformed('mailbox name is not modified UTF-7');
  return name;
}

function decodeUtf16(base64: string): string {
  const bytes = Buffer.from(base64.replaceAll(',', '/'), 'base64');
  if (bytes.length % 2 !== 0) throw malformed('mailbox name is not modified UTF-7');
  const text = bytes.swap16().toString('utf16le');
  if (!text.isWellFormed()) throw malformed('mailbox name is not modified UTF-7');
  return text;
}
