/** Makes one segment of several, without the messages that are gone. */
import { readFileSync } from 'node:fs';
import { endsOfPlaces } from './place-list.ts';
import { decodeList } from './posting-list.ts';
import type { ByteSink } from './posting-list.ts';
import type { Segment, Table } from './segment-file.ts';
import { encodeSegment, fields } from './segment-format.ts';
import type { SegmentContent, TableEntry, TableName, TableSource } from './segment-format.ts';

/** A segment that goes into another, with its file. */
export interface Merged {
  readonly segment: Segment;
  readonly path: string;
}

/** The bytes of the new file; undefined when none of the messages is alive. `alive`: uids that are in the mailbox. */
export function mergeSegments(merged: readonly Merged[], alive: ReadonlySet<number>): Buffer[] | undefined {
  const places = merged.flatMap(({ segment }, source) => [...segment.uids].map((uid, rank) => ({ uid, source, rank })));
  const kept = places.filter(({ uid }) => alive.has(uid)).sort((one, other) => one.uid - other.uid);
  if (kept.length === 0) return undefined;
  const newRanks = merged.map(({ segment }) => new Int32Array(segment.uids.length).fill(-1));
  for (const [rank, place] of kept.entries()) (newRanks[place.source] ?? new Int32Array(0))[place.rank] = rank;
  const sources = merged.map(({ segment, path }, index) => ({ tables: segment.tables, bytes: readFileSync(path), newRanks: newRanks[index] ?? new Int32Array(0) }));
  const opaque = merged.flatMap(({ segment }, index) => segment.opaque.map((rank) => newRanks[index]?.[rank] ?? -1)).filter((rank) => rank >= 0);
  const content: SegmentContent = { uids: kept.map(({ uid }) => uid), opaque: opaque.sort((one, other) => one - other), tables: mergedTables(sources) };
  return encodeSegment(content);
}

interface Source {
  readonly tables: readonly Table[];
  readonly bytes: Buffer;
  readonly newRanks: Int32Array;
}

function* mergedTables(sources: readonly Source[]): Generator<TableSource> {
  for (const field of fields) {
    for (const kind of ['word', 'piece'] as const) {
      for (const width of ['narrow', 'wide'] as const) {
        const name: TableName = { field, kind, width };
        yield { ...name, entries: mergedEntries(sources, name) };
      }
    }
  }
}

interface Cursor {
  readonly source: Source;
  readonly table: Table;
  at: number;
  token: string;
}

function* mergedEntries(sources: readonly Source[], { field, kind, width }: TableName): Generator<TableEntry> {
  const cursors = sources.flatMap((source): Cursor[] => {
    const table = source.tables.find((one) => one.field === field && one.kind === kind && one.width === width);
    return table === undefined ? [] : [{ source, table, at: 0, token: table.vocabulary.token(0) }];
  });
  while (cursors.length > 0) {
    const token = cursors.reduce((least, cursor) => (cursor.token < least ? cursor.token : least), cursors[0]?.token ?? '');
    const parts: Part[] = [];
    for (const cursor of cursors.filter((one) => one.token === token)) {
      parts.push(partOf(cursor));
      cursor.at += 1;
      if (cursor.at < cursor.table.count) cursor.token = cursor.table.vocabulary.token(cursor.at);
      else cursors.splice(cursors.indexOf(cursor), 1);
    }
    const entry = entryOf(token, parts);
    if (entry.ranks.length > 0) yield entry;
  }
}

/** What one segment has of a token: the new ranks of its messages (-1 for those that are gone), and the bytes of their places. */
interface Part {
  readonly ranks: readonly number[];
  readonly places: Buffer;
}

function partOf({ source, table, at }: Cursor): Part {
  const { from, to } = table.vocabulary.list(at);
  const places = table.vocabulary.places(at);
  return { ranks: decodeList(source.bytes.subarray(from, to)).map((rank) => source.newRanks[rank] ?? -1), places: source.bytes.subarray(places.from, places.to) };
}

/** Segments mostly follow each other, and none of their messages is gone: then their bytes do, too. */
function entryOf(token: string, parts: readonly Part[]): TableEntry {
  const ranks = parts.flatMap((part) => part.ranks);
  if (isAscending(ranks)) return { token, ranks, writePlaces: (into) => parts.forEach(({ places }) => write(places, into)) };
  const messages = parts.flatMap((part) => {
    const ends = endsOfPlaces(part.places, part.ranks.length);
    return part.ranks.map((rank, index) => ({ rank, places: part.places.subarray(ends[index - 1] ?? 0, ends[index] ?? 0) }));
  }).filter(({ rank }) => rank >= 0).sort((one, other) => one.rank - other.rank);
  return { token, ranks: messages.map(({ rank }) => rank), writePlaces: (into) => messages.forEach(({ places }) => write(places, into)) };
}

function write(bytes: Buffer, into: ByteSink): void {
  bytes.copy(into.room(bytes.length));
  into.wrote(bytes.length);
}

/** And none is below 0. */
function isAscending(ranks: readonly number[]): boolean {
  let last = -1;
  for (const rank of ranks) {
    if (rank <= last) return false;
    last = rank;
  }
  return true;
}
