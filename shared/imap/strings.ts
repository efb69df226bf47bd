/** Writes strings of responses (RFC 9051 section 4.3). Texts are latin1: one character is one byte on the wire. */
import { isUtf8 } from 'node:buffer';

const quotable = /^[\x01-\x09\x0b\x0c\x0e-\x7f]*$/;
/** Most strings: nothing in them needs a backslash. */
const plainQuotable = /^[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x5b\x5d-\x7f]*$/;
const plainAstring = /^[^\x00-\x20\x7f-\xff(){%*"\\]+$/;
const longestQuoted = 1000;

/** What a session may be sent: 8-bit characters in quoted strings, once it enabled UTF8=ACCEPT or IMAP4rev2 (RFC 6855 section 3), or not. */
export type StringForm = 'utf-8' | 'ascii';

/** Bytes as a quoted string, or as a literal where they hold line ends, 8-bit characters, or are long. NUL is left out: no string may hold it. */
export function formatString(bytes: string): string {
  if (bytes.length <= longestQuoted && plainQuotable.test(bytes)) return `"${bytes}"`;
  if (bytes.length <= longestQuoted && quotable.test(bytes)) return `"${bytes.replaceAll(/["\\]/g, '\\$&')}"`;
  const clean = bytes.replaceAll('\0', '');
  return `{${String(clean.length)}}\r\n${clean}`;
}

/** Whether there are characters beyond ASCII, as RFC 6532 has them: in UTF-8. Bytes in charsets that nobody named are not meant. */
export function isInternational(bytes: string): boolean {
  return /[\x80-\xff]/.test(bytes) && isUtf8(Buffer.from(bytes, 'latin1'));
}

/** As `formatString`; in the form `utf-8` characters beyond ASCII may stand in a quoted string. */
export function formatText(bytes: string, form: StringForm): string {
  if (bytes.length <= longestQuoted && plainQuotable.test(bytes)) return `"${bytes}"`;
  if (bytes.length <= longestQuoted && quotable.test(bytes)) return `"${bytes.replaceAll(/["\\]/g, '\\$&')}"`;
  const isOneLine = bytes.length <= longestQuoted && !/[\0\r\n]/.test(bytes);
  return form === 'utf-8' && isOneLine && isInternational(bytes) ? `"${bytes.replaceAll(/["\\]/g, '\\$&')}"` : formatString(bytes);
}

/** NIL for undefined. */
export function formatNstring(bytes: string | undefined): string {
  return bytes === undefined ? 'NIL' : formatString(bytes);
}

/** Any bytes; with NUL a literal8 (RFC 9051 section 4.3). NIL for undefined. */
export function formatValue(bytes: string | undefined): string {
  return bytes?.includes('\0') === true ? `~{${String(bytes.length)}}\r\n${bytes}` : formatNstring(bytes);
}

/** An atom where possible. */
export function formatAstring(bytes: string): string {
  return plainAstring.test(bytes) && bytes.toUpperCase() !== 'NIL' ? bytes : formatString(bytes);
}

/** A mailbox name whose bytes are known; 8-bit ones only in UTF-8 sessions, where quoted strings may hold them (RFC 9051 section 4.3). */
export function formatName(bytes: string): string {
  if (/[^\x20-\x7e]/.test(bytes)) return `"${bytes.replaceAll(/["\\]/g, '\\$&')}"`;
  return formatAstring(bytes);
}

/** Unicode text as the bytes of its UTF-8, one character each. */
export function utf8Bytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
