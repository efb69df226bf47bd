/**
 * Header text that is not US-ASCII: RFC 2047 encoded words in both directions, and raw 8-bit bytes as broken or
 * RFC 6532 mail has them. Also the one place that knows character sets by name. Pure; nothing here throws.
 */
import { isAscii } from 'node:buffer';
import { TextDecoder } from 'node:util';

/** Names that mail uses and that the Encoding Standard, which TextDecoder follows, does not have. */
const charsetAliases: ReadonlyMap<string, string> = new Map([
  ['cp932', 'shift_jis'], ['cp936', 'gbk'], ['cp949', 'euc-kr'], ['cp950', 'big5'], ['ansi_x3.110-1983', 'iso-8859-1'],
  ['utf8mb4', 'utf-8'], ['utf-8-sig', 'utf-8'], ['iso-2022-jp-1', 'iso-2022-jp'], ['iso-2022-jp-ms', 'iso-2022-jp'],
]);

/** Where bytes of ASCII are ASCII. */
const likeAscii: ReadonlySet<string> = new Set(['', 'us-ascii', 'ascii', 'utf-8', 'utf8', 'iso-8859-1', 'iso-8859-15', 'windows-1252']);

const decoders = new Map<string, TextDecoder>();

/** Decodes bytes of a named charset; an unknown or missing name counts as UTF-8 if the bytes are that, else windows-1252. */
export function decodeCharset(bytes: Buffer, charset: string): string {
  const name = spelled(charset);
  if (likeAscii.has(name) && isAscii(bytes)) return bytes.toString('latin1'); // most texts, and much faster
  const decoder = findDecoder(name);
  return decoder === undefined ? decodeUnlabelled(bytes) : decoder.decode(bytes);
}

/** Decodes what comes in pieces, each going on where the one before it ended. Undefined for names that `decodeCharset` does not know. */
export function charsetStream(charset: string): ((bytes: Buffer, follows: 'more' | 'nothing') => string) | undefined {
  const known = findDecoder(spelled(charset));
  if (known === undefined) return undefined;
  const decoder = new TextDecoder(known.encoding);
  return (bytes, follows) => decoder.decode(bytes, { stream: follows === 'more' });
}

function spelled(charset: string): string {
  return charset.trim().toLowerCase();
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });
const westernDecoder = new TextDecoder('windows-1252');

/** Decodes bytes whose charset nobody named: UTF-8 when they are valid UTF-8, else windows-1252. */
export function decodeUnlabelled(bytes: Buffer): string {
  try {
    return strictUtf8.decode(bytes);
  } catch (cause) {
    if (cause instanceof TypeError) return westernDecoder.decode(bytes);
    throw cause;
  }
}

/**
 * Decodes an unstructured field's value (RFC 2047 section 6): encoded words become text, white space between two of them
 * vanishes, and neighbours in one charset are decoded together, since programs cut characters in two (not so ISO-2022, where
 * each word returns to ASCII at its end).
 * @param raw latin1, unfolded.
 */
export function decodeWords(raw: string): string {
  if (!raw.includes('=?')) return decodeRaw(raw);
  const pattern = /=\?([^?\s]*)\?([bq])\?([^?\r\n]*)\?=/gi;
  let decoded = '';
  let end = 0;
  let pending: { charset: string; bytes: Buffer[] } | undefined;
  const flush = (): string => (pending === undefined ? '' : decodeCharset(Buffer.concat(pending.bytes), pending.charset));
  for (let match = pattern.exec(raw); match !== null; match = pattern.exec(raw)) {
    const between = raw.slice(end, match.index);
    const charset = (match[1] ?? '').replace(/\*.*$/, '').toLowerCase();
    const bytes = wordBytes(match[2] ?? '', match[3] ?? '');
    if (pending?.charset === charset && between.trim() === '' && !charset.startsWith('iso-2022')) {
      pending.bytes.push(bytes);
    } else {
      const gap = pending !== undefined && between.trim() === '' ? '' : decodeRaw(between);
      decoded += flush() + gap;
      pending = { charset, bytes: [bytes] };
    }
    end = pattern.lastIndex;
  }
  return decoded + flush() + decodeRaw(raw.slice(end));
}

/** Encodes text for an unstructured field or a phrase: US-ASCII as it is, else UTF-8 words of at most 75 characters, parted by a space. */
export function encodeWords(text: string): string {
  if (/^[\x20-\x7e\t]*$/.test(text) && !text.includes('=?')) return text;
  const words: string[] = [];
  let chunk = '';
  let length = 0;
  for (const character of text) {
    const bytes = Buffer.byteLength(character);
    // 45 octets become 60 characters of base64, with `=?utf-8?B?` and `?=` 72.
    if (length + bytes > 45) {
      words.push(chunk);
      chunk = '';
      length = 0;
    }
    chunk += character;
    length += bytes;
  }
  words.push(chunk);
  return words.map((word) => `=?utf-8?B?${Buffer.from(word, 'utf8').toString('base64')}?=`).join(' ');
}

function findDecoder(charset: string): TextDecoder | undefined {
  const known = decoders.get(charset);
  if (known !== undefined) return known;
  if (charset === '' || charset === 'us-ascii' || charset === 'ascii') return undefined;
  try {
    const decoder = new TextDecoder(charsetAliases.get(charset) ?? charset);
    // The names come from strangers: only those that exist are remembered, and spellings of them are few.
    decoders.set(charset, decoder);
    return decoder;
  } catch (cause) {
    if (cause instanceof RangeError) return undefined;
    throw cause;
  }
}

function decodeRaw(text: string): string {
  return /[\x80-\xff]/.test(text) ? decodeUnlabelled(Buffer.from(text, 'latin1')) : text;
}

function wordBytes(encoding: string, text: string): Buffer {
  if (encoding.toLowerCase() === 'b') return Buffer.from(text, 'base64');
  const bytes = text
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1');
}
