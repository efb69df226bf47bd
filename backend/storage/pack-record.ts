/** Reads the files of packs record by record: one at its place, with its checksum, or all of them, also those behind damage. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { decodeFileHeader, decodeRecordHeader, decodeRecordTrailer, fileHeaderBytes, recordHeaderBytes, recordMagicBytes, trailerBytes, trailerMagicBytes } from './pack-format.ts';
import type { RecordHeader, RecordTrailer } from './pack-format.ts';
import type { PackPlace } from './packs.ts';

/** A record whose both ends are sound. Whether its bytes are, its digest tells. */
export interface FramedRecord {
  readonly header: RecordHeader;
  readonly trailer: RecordTrailer;
}

/** What lies in a pack, in its order. */
export type FoundRecord =
  | FramedRecord & { readonly found: 'record'; readonly place: PackPlace }
  /** Bytes that are no whole record, from `from` up to `to`. */
  | { readonly found: 'damage'; readonly from: number; readonly to: number; readonly owner: string | undefined };

const pieceBytes = 256 * 1024;
/** Header and name of the owner. */
const longestHeader = 64 * 1024 + recordHeaderBytes;

/** Undefined when the file is not there, or is not the pack of that number. */
export async function openPackFile(path: string, pack: number): Promise<FileHandle | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined || decodeFileHeader(await readSome(file, 0, fileHeaderBytes)) === pack) return file;
  await file.close();
  return undefined;
}

/** The ends of the record whose body lies there; undefined when one of them is damaged or of another record. */
export async function frameOf(file: FileHandle, { offset, length }: Pick<PackPlace, 'offset' | 'length'>): Promise<FramedRecord | undefined> {
  const trailer = decodeRecordTrailer(await readSome(file, offset + length, trailerBytes));
  if (trailer?.outcome !== 'whole' || trailer.length !== length) return undefined;
  const before = offset - trailer.recordStart;
  const header = before <= 0 || before > longestHeader ? undefined : decodeRecordHeader(await readSome(file, trailer.recordStart, before));
  return header?.headerBytes === before ? { header, trailer } : undefined;
}

/** SHA-256 of the bytes that lie there now. */
export async function digestAt(file: FileHandle, { offset, length }: Pick<PackPlace, 'offset' | 'length'>): Promise<Buffer> {
  const hash = createHash('sha256');
  for (let at = 0; at < length; at += pieceBytes) hash.update(await readSome(file, offset + at, Math.min(pieceBytes, length - at)));
  return hash.digest();
}

/** Everything in a pack from its first record on; bodies that were given up half-way are left out. */
export async function* recordsIn(file: FileHandle, pack: number): AsyncGenerator<FoundRecord> {
  const { size } = await file.stat();
  for (let at = fileHeaderBytes; at < size; ) {
    const head = decodeRecordHeader(await readSome(file, at, longestHeader));
    const offset = at + (head?.headerBytes ?? 0);
    const end = head === undefined ? undefined : await trailerOf(file, { start: at, offset, length: head.length, size });
    if (head === undefined || end === undefined) {
      const to = await findRecord(file, at + 1, size);
      yield { found: 'damage', from: at, to, owner: head?.owner };
      at = to;
      continue;
    }
    if (end.outcome === 'whole') yield { found: 'record', header: head, trailer: end, place: { pack, offset, length: end.length } };
    at = offset + end.length + trailerBytes;
  }
}

/** The trailer of the record that begins at `start`; a body whose length was not known at the start ends where one fits. */
async function trailerOf(file: FileHandle, { start, offset, length, size }: { readonly start: number; readonly offset: number; readonly length: number | undefined; readonly size: number }): Promise<RecordTrailer | undefined> {
  const fits = async (at: number): Promise<RecordTrailer | undefined> => {
    const trailer = decodeRecordTrailer(await readSome(file, at, trailerBytes));
    return trailer?.recordStart === start && trailer.length === at - offset ? trailer : undefined;
  };
  if (length !== undefined) return fits(offset + length);
  for await (const at of placesOf(file, trailerMagicBytes, { from: offset, to: size })) {
    const trailer = await fits(at);
    if (trailer !== undefined) return trailer;
  }
  return undefined;
}

/** Where the next record begins that has a sound header; the end of the file when there is none. */
async function findRecord(file: FileHandle, from: number, size: number): Promise<number> {
  for await (const at of placesOf(file, recordMagicBytes, { from, to: size })) {
    if (decodeRecordHeader(await readSome(file, at, longestHeader)) !== undefined) return at;
  }
  return size;
}

async function* placesOf(file: FileHandle, what: Buffer, { from, to }: { readonly from: number; readonly to: number }): AsyncGenerator<number> {
  for (let at = from; at < to; at += pieceBytes) {
    const piece = await readSome(file, at, pieceBytes + what.length - 1); // one that lies across two pieces is in the first
    for (let found = piece.indexOf(what); found >= 0; found = piece.indexOf(what, found + 1)) yield at + found;
  }
}

/** As many bytes as there are; none where the disk refuses them. */
async function readSome(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const filled = await file.read(bytes, 0, length, position).then(({ bytesRead }) => bytesRead, () => 0);
  return bytes.subarray(0, filled);
}
