/**
 * Long texts, read, decoded and casemapped in pieces of whole lines: many megabytes at once would take a worker's time for a second. Also of charsets
 * in which a line's end is not one byte, or where what came before decides what bytes mean.
 */
import { isAscii } from 'node:buffer';
import { casemap } from '../../shared/mime/casemap.ts';
import { charsetStream, decodeCharset } from '../../shared/mime/encoded-words.ts';
import type { Part } from '../../shared/mime/structure.ts';
import { createTransferDecoder } from '../../shared/mime/text.ts';
import type { StoredMessage } from '../storage/storage.ts';

/** A piece of text. `ends`: where the next piece of the same text goes on, if it does: behind a line's end, or inside a line. */
export interface TextPiece {
  readonly text: string;
  readonly ends: 'whole' | 'line' | 'inside';
}

/** So much is read at a time, before transfer encodings are undone; what is longer is told in pieces. */
export const pieceBytes = 256 * 1024;

/** The casemapped text as far as it is complete; '' where no line has ended. */
type Reader = (bytes: Buffer, follows: 'more' | 'nothing') => TextPiece;

/** The text of a text part. */
export async function* piecesOf(message: StoredMessage, part: Part, charset: string): AsyncGenerator<TextPiece, void, void> {
  const decoder = createTransferDecoder(part.encoding);
  const read = readerOf(charset);
  for (let at = part.bodyStart; at < part.bodyEnd; at += pieceBytes) {
    const size = Math.min(pieceBytes, part.bodyEnd - at);
    const bytes = decoder.write(await message.read(at, size));
    const isLast = at + size === part.bodyEnd;
    const piece = isLast ? read(Buffer.concat([bytes, decoder.end()]), 'nothing') : read(bytes, 'more');
    if (piece.text !== '') yield piece;
  }
}

/** Most texts are in US-ASCII, whatever they call it; these cost a fifth of the others. */
export function mappedText(bytes: Buffer, charset: string): string {
  return linesAreBytes(charset) && isAscii(bytes) ? bytes.toString('latin1').toUpperCase() : casemap(decodeCharset(bytes, charset));
}

function readerOf(charset: string): Reader {
  const stream = linesAreBytes(charset) ? undefined : charsetStream(charset);
  return stream === undefined ? readerOfBytes(charset) : readerOfStream(stream);
}

/** Each piece is decoded by itself, which ends where lines do. */
function readerOfBytes(charset: string): Reader {
  let rest: Buffer = Buffer.alloc(0);
  return (more, follows) => {
    const bytes = Buffer.concat([rest, more]);
    const cut = follows === 'nothing' ? bytes.length : endOfLines(bytes);
    rest = bytes.subarray(cut);
    return { text: mappedText(bytes.subarray(0, cut), charset), ends: endsOf(follows, bytes[cut - 1] === lineFeed) };
  };
}

/** What is decoded is cut where lines end. */
function readerOfStream(stream: (bytes: Buffer, follows: 'more' | 'nothing') => string): Reader {
  let rest = '';
  return (more, follows) => {
    const text = rest + stream(more, follows);
    const lineEnd = text.lastIndexOf('\n') + 1;
    const cut = follows === 'nothing' || (lineEnd === 0 && text.length >= pieceBytes) ? text.length : lineEnd;
    rest = text.slice(cut);
    return { text: casemap(text.slice(0, cut)), ends: endsOf(follows, cut === lineEnd) };
  };
}

function endsOf(follows: 'more' | 'nothing', atLineEnd: boolean): TextPiece['ends'] {
  if (follows === 'nothing') return 'whole';
  return atLineEnd ? 'line' : 'inside';
}

const lineFeed = 0x0a;

/** Whether the bytes of US-ASCII, line feeds among them, mean the same in this charset, and nothing else. */
function linesAreBytes(charset: string): boolean {
  return !/^(?:utf-?(?:16|32|7)|ucs|iso-2022|hz)/i.test(charset);
}

/** Behind the last line feed; of one endless line all, but not into a character of UTF-8. */
function endOfLines(bytes: Buffer): number {
  const lineEnd = bytes.lastIndexOf(lineFeed) + 1;
  if (lineEnd > 0 || bytes.length < pieceBytes) return lineEnd;
  let cut = bytes.length - 4;
  while (cut > bytes.length - 8 && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut -= 1;
  return cut;
}
