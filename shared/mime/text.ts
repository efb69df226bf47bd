/**
 * Content-Transfer-Encodings (RFC 2045 section 6) undone, whole or as the bytes come, and text parts made readable.
 * Lenient as readers must be: nothing here throws, broken coding gives what can be made out of it.
 */
import { decodeCharset } from './encoded-words.ts';

/** Undoes a transfer encoding piece by piece. */
export interface TransferDecoder {
  /** The bytes that the pieces so far make complete. */
  write(chunk: Buffer): Buffer;
  /** What is left. */
  end(): Buffer;
}

const nothing = Buffer.alloc(0);

/** A decoder for a Content-Transfer-Encoding (lower-case); 7bit, 8bit, binary and unknown ones pass the bytes through. */
export function createTransferDecoder(encoding: string): TransferDecoder {
  if (encoding === 'base64') return base64Decoder();
  if (encoding === 'quoted-printable') return quotedPrintableDecoder();
  return { write: (chunk) => chunk, end: () => nothing };
}

/** Undoes a transfer encoding (lower-case) of bytes that are all there. */
export function decodeTransfer(bytes: Buffer, encoding: string): Buffer {
  const decoder = createTransferDecoder(encoding);
  return Buffer.concat([decoder.write(bytes), decoder.end()]);
}

/** The text of a part's body: transfer encoding undone, then the charset, see `decodeCharset`. */
export function decodeText(bytes: Buffer, encoding: string, charset: string): string {
  return decodeCharset(encoding === 'base64' || encoding === 'quoted-printable' ? decodeTransfer(bytes, encoding) : bytes, charset);
}

/**
 * RFC 2045 section 6.8: characters outside the alphabet are skipped. Padding ends a run; another may follow, as where programs join two. Runs are decoded
 * one by one into the same bytes: of strangers who send little but padding, a list of them would hold a hundred times what came.
 */
function base64Decoder(): TransferDecoder {
  let carry = '';
  return {
    write(chunk) {
      const text = carry + chunk.toString('latin1').replace(/[^A-Za-z0-9+/=]+/g, '');
      const decoded = Buffer.allocUnsafe(Math.ceil(text.length * 3 / 4));
      let length = 0;
      let start = 0;
      for (let end = text.indexOf('='); end !== -1; end = text.indexOf('=', start)) {
        if (end - start > 1) length += decoded.write(text.slice(start, end), length, 'base64');
        start = end + 1;
        while (text.charCodeAt(start) === EQUALS) start += 1;
      }
      const complete = text.length - ((text.length - start) % 4);
      length += decoded.write(text.slice(start, complete), length, 'base64');
      carry = text.slice(complete);
      return decoded.subarray(0, length);
    },
    end: () => Buffer.from(carry, 'base64'),
  };
}

const LF = 0x0a;
const CR = 0x0d;
const EQUALS = 0x3d;

/** RFC 2045 section 6.7. Lines are decoded when they are complete: white space at their end counts for nothing. */
function quotedPrintableDecoder(): TransferDecoder {
  let carry = nothing;
  return {
    write(chunk) {
      const bytes = carry.length === 0 ? chunk : Buffer.concat([carry, chunk]);
      const lastLine = bytes.lastIndexOf(LF) + 1;
      const complete = bytes.length - lastLine > 4096 ? cutInLine(bytes, lastLine) : lastLine;
      carry = Buffer.from(bytes.subarray(complete));
      return decodeLines(bytes.subarray(0, complete));
    },
    end: () => decodeLines(carry),
  };
}

/** Where a line that is too long to wait for its end may be cut: neither in `=XX` nor after white space. */
function cutInLine(bytes: Buffer, lineStart: number): number {
  let cut = bytes.length - 3;
  while (cut > lineStart && (isBlank(bytes[cut - 1]) || bytes[cut - 1] === EQUALS || bytes[cut - 2] === EQUALS)) cut -= 1;
  return cut > lineStart ? cut : bytes.length - 3;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === CR;
}

function decodeLines(bytes: Buffer): Buffer {
  const decoded = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  let start = 0;
  while (start < bytes.length) {
    const lineFeed = bytes.indexOf(LF, start);
    const next = lineFeed === -1 ? bytes.length : lineFeed + 1;
    const lineEnd = endOfContent(bytes, start, lineFeed === -1 ? next : lineFeed);
    let at = start;
    let soft = false;
    while (at < lineEnd) {
      const byte = bytes[at] ?? 0;
      const value = byte === EQUALS ? hexValue(bytes, at + 1) : byte;
      if (value !== undefined) decoded[length++] = value;
      else if (at === lineEnd - 1) soft = true;
      else decoded[length++] = byte;
      at += byte === EQUALS && value !== undefined ? 3 : 1;
    }
    if (!soft && lineFeed !== -1) {
      if (bytes[lineFeed - 1] === CR && lineFeed > start) decoded[length++] = CR;
      decoded[length++] = LF;
    }
    start = next;
  }
  return decoded.subarray(0, length);
}

/** The end of a line's content: without its CR and the white space before (RFC 2045 section 6.7 rule 3). */
function endOfContent(bytes: Buffer, start: number, lineFeed: number): number {
  let end = lineFeed;
  while (end > start && isBlank(bytes[end - 1])) end -= 1;
  return end;
}

function hexValue(bytes: Buffer, at: number): number | undefined {
  const high = hexDigit(bytes[at]);
  const low = hexDigit(bytes[at + 1]);
  return high === undefined || low === undefined ? undefined : high * 16 + low;
}

function hexDigit(byte: number | undefined): number | undefined {
  if (byte === undefined) return undefined;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte & ~0x20;
  return letter >= 0x41 && letter <= 0x46 ? letter - 0x37 : undefined;
}
