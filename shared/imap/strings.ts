/** Writes strings of responses (RFC 9051 section 4.3). Texts are latin1: one character is one byte on the wire. */

const quotable = /^[\x01-\x09\x0b\x0c\x0e-\x7f]*$/;
const plainAstring = /^[^\x00-\x20\x7f-\xff(){%*"\\]+$/;
const longestQuoted = 1000;

/** Bytes as a quoted string, or as a literal where they hold line ends, 8-bit characters, or are long. NUL is left out: no string may hold it. */
export function formatString(bytes: string): string {
  if (bytes.length <= longestQuoted && quotable.test(bytes)) return `"${bytes.replaceAll(/["\\]/g, '\\$&')}"`;
  const clean = bytes.replaceAll('\0', '');
  return `{${String(clean.length)}}\r\n${clean}`;
}

/** NIL for undefined. */
export function formatNstring(bytes: string | undefined): string {
  return bytes === undefined ? 'NIL' : formatString(bytes);
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
