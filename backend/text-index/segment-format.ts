/**
 * A segment: what the index knows of some messages of one mailbox, in a file that never changes. First the lists of
 * messages for each token, then those of the places of words, in blocks with a checksum each; then the directory, which readers keep in memory: uids, checksums
 * and, for each table, its tokens and where their lists are; then the footer. Nothing is flushed: what a power cut spoils is
 * found by its checksum and made anew. All numbers are little-endian.
 */
import { crc32 } from 'node:zlib';
import { ByteSink, encodeList } from './posting-list.ts';

/** Where in a message a token stands. `head` has all header fields, their names too; the others what HEADER asks of that field. */
export const fields = ['body', 'head', 'subject', 'from', 'to', 'cc'] as const;
export type Field = (typeof fields)[number];
export type TokenKind = 'word' | 'piece';

/** Tokens of one field and kind, those of Latin-1 (`narrow`, a byte each character) apart from the rest. */
export interface TableName {
  readonly field: Field;
  readonly kind: TokenKind;
  readonly width: 'narrow' | 'wide';
}

/** A token, the ranks of the messages that have it and, of a word, what writes its places in each of these. */
export interface TableEntry {
  readonly token: string;
  readonly ranks: readonly number[];
  readonly writePlaces?: ((into: ByteSink) => void) | undefined;
}

/** One table's tokens, ascending. */
export interface TableSource extends TableName {
  readonly entries: Iterable<TableEntry>;
}

/** In the table of words it stands for each run that is in pieces: so their places are known, too. No word has this character. */
export const anyRunInPieces = '#';

export interface SegmentContent {
  /** Ascending; a message's rank is its place here. */
  readonly uids: readonly number[];
  /** Ranks of messages of which the index can't tell: they are always looked into. */
  readonly opaque: readonly number[];
  readonly tables: Iterable<TableSource>;
}

/** How the directory describes a table. */
export interface TableShape extends TableName {
  readonly count: number;
  /** Bytes of its tokens, parted by line feeds, one before the first and one behind the last. */
  readonly bytes: number;
}

export interface DirectoryShape {
  readonly messages: number;
  readonly opaque: readonly number[];
  /** Lists of messages and of places together; where the latter begin. */
  readonly listBytes: number;
  readonly placesStart: number;
  readonly tables: readonly TableShape[];
}

export const blockBytes = 4096;
export const footerBytes = 32;
/** Most messages of a segment. The indexer holds one of that size in memory twice when it is made. */
export const mostMessages = 32_768;
/** Its digit changes with what is searched of messages (`message-texts.ts`), too: files with another one are set aside, and made anew. */
const magic = 'WBTEXT\n3';

export interface Footer {
  readonly directoryStart: number;
  readonly directoryBytes: number;
  readonly directoryCrc: number;
}

/** Undefined when these bytes are no whole footer. */
export function decodeFooter(bytes: Buffer): Footer | undefined {
  if (bytes.length !== footerBytes || bytes.toString('latin1', 0, 8) !== magic || bytes.readUInt32LE(28) !== crc32(bytes.subarray(0, 28))) return undefined;
  return { directoryStart: bytes.readDoubleLE(8), directoryBytes: bytes.readUInt32LE(16), directoryCrc: bytes.readUInt32LE(20) };
}

function encodeFooter({ directoryStart, directoryBytes, directoryCrc }: Footer): Buffer {
  const bytes = Buffer.alloc(footerBytes);
  bytes.write(magic, 'latin1');
  bytes.writeDoubleLE(directoryStart, 8);
  bytes.writeUInt32LE(directoryBytes, 16);
  bytes.writeUInt32LE(directoryCrc, 20);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 28)), 28);
  return bytes;
}

/** The bytes of the file, in their order. */
export function encodeSegment({ uids, opaque, tables }: SegmentContent): Buffer[] {
  const sinks = { lists: new ByteSink(), places: new ByteSink() };
  const parts: Buffer[] = [];
  const shapes: TableShape[] = [];
  for (const table of tables) {
    const encoded = encodeTable(table, uids.length, sinks);
    if (encoded === undefined) continue;
    shapes.push(encoded.shape);
    parts.push(...encoded.parts);
  }
  const { lists, places } = sinks;
  const unfilled = (blockBytes - (lists.length % blockBytes)) % blockBytes;
  lists.room(unfilled).fill(0);
  lists.wrote(unfilled); // each has blocks of its own: nothing need be copied to have them side by side
  const listBytes = lists.length + places.length;
  const shape: DirectoryShape = { messages: uids.length, opaque, listBytes, placesStart: lists.length, tables: shapes };
  const json = padded(Buffer.from(JSON.stringify(shape)), ' ');
  const directory = Buffer.concat([numbers([json.length]), json, numbers(uids), numbers([...checksums(lists.bytes), ...checksums(places.bytes)]), ...parts]);
  return [lists.bytes, places.bytes, directory, encodeFooter({ directoryStart: listBytes, directoryBytes: directory.length, directoryCrc: crc32(directory) })];
}

/** Its lists go into the sinks; undefined when it has no tokens. */
function encodeTable({ entries, ...name }: TableSource, messages: number, { lists, places }: { readonly lists: ByteSink; readonly places: ByteSink }): { readonly shape: TableShape; readonly parts: readonly Buffer[] } | undefined {
  const starts: number[] = [];
  const offsets = { lists: [lists.length], places: [places.length] };
  const tokens: string[] = [];
  let length = 1;
  for (const { token, ranks, writePlaces } of entries) {
    encodeList(ranks, messages, lists);
    offsets.lists.push(lists.length);
    writePlaces?.(places);
    if (name.kind === 'word') offsets.places.push(places.length);
    starts.push(length);
    tokens.push(token);
    length += token.length + 1;
  }
  if (tokens.length === 0) return undefined;
  const text = Buffer.from(`\n${tokens.join('\n')}\n`, name.width === 'narrow' ? 'latin1' : 'utf16le');
  const placed = name.kind === 'word' ? [numbers(offsets.places)] : [];
  return { shape: { ...name, count: tokens.length, bytes: text.length }, parts: [numbers([...starts, length]), numbers(offsets.lists), ...placed, padded(text)] };
}

function checksums(postings: Buffer): number[] {
  const sums: number[] = [];
  for (let at = 0; at < postings.length; at += blockBytes) sums.push(crc32(postings.subarray(at, at + blockBytes)));
  return sums;
}

function numbers(values: readonly number[]): Buffer {
  const array = Uint32Array.from(values);
  return Buffer.from(array.buffer);
}

function padded(bytes: Buffer, filler = '\0'): Buffer {
  const missing = (4 - (bytes.length % 4)) % 4;
  return missing === 0 ? bytes : Buffer.concat([bytes, Buffer.from(filler.repeat(missing))]);
}
