/**
 * The bytes of a pack file (pure): a file header, then records, each a header, the owner's name, the body and a trailer
 * with checksums. The length stands in the trailer too, so that a body can be written while it still arrives.
 */
import { crc32 } from 'node:zlib';

/** Bytes of the header at the start of each pack file. */
export const fileHeaderBytes = 32;
/** Bytes of a record's header without the owner's name. */
export const recordHeaderBytes = 24;
/** Bytes after the body. */
export const trailerBytes = 64;

const fileMagic = Buffer.from('WBPACK\r\n', 'latin1');
const recordMagic = 0x31524257; // "WBR1"
const trailerMagic = 0x31545257; // "WRT1"
/** As they stand in a file. */
export const recordMagicBytes = Buffer.from('WBR1', 'latin1');
export const trailerMagicBytes = Buffer.from('WRT1', 'latin1');
const formatVersion = 1;
const lengthInTrailer = 2 ** 48 - 1;

export type RecordKind = 'message' | 'note';

/** What stands before a body. */
export interface RecordHeader {
  readonly kind: RecordKind;
  readonly owner: string;
  /** Milliseconds since 1970. */
  readonly writtenAtMs: number;
  /** Undefined when it was not known at the start: then it stands in the trailer only. */
  readonly length: number | undefined;
}

/** What stands behind a body; `aborted` ends a body that was given up half-way. */
export interface RecordTrailer {
  readonly length: number;
  /** Where the record's header begins in the file. */
  readonly recordStart: number;
  /** SHA-256 of the body. */
  readonly digest: Buffer;
  readonly outcome: 'whole' | 'aborted';
}

/** The name of the file of the pack of that number. */
export function packName(pack: number): string {
  return `${String(pack).padStart(8, '0')}.pack`;
}

/** The first bytes of the pack of that number. */
export function encodeFileHeader(pack: number): Buffer {
  const header = Buffer.alloc(fileHeaderBytes);
  fileMagic.copy(header);
  header.writeUInt32LE(formatVersion, 8);
  header.writeUInt32LE(pack, 12);
  header.writeUInt32LE(crc32(header.subarray(0, 28)), 28);
  return header;
}

/** The pack's number, or undefined when these are not the first bytes of a pack of this format. */
export function decodeFileHeader(bytes: Buffer): number | undefined {
  if (bytes.length < fileHeaderBytes || !bytes.subarray(0, 8).equals(fileMagic)) return undefined;
  if (bytes.readUInt32LE(8) !== formatVersion || bytes.readUInt32LE(28) !== crc32(bytes.subarray(0, 28))) return undefined;
  return bytes.readUInt32LE(12);
}

export function encodeRecordHeader(header: RecordHeader): Buffer {
  const owner = Buffer.from(header.owner);
  const bytes = Buffer.allocUnsafe(recordHeaderBytes + owner.length).fill(0); // of Node's pool: with a checksum V8 would give a small one of its own memory outside its heap
  bytes.writeUInt32LE(recordMagic, 0);
  bytes.writeUInt8(header.kind === 'message' ? 1 : 2, 4);
  bytes.writeUInt16LE(owner.length, 6);
  bytes.writeUIntLE(header.writtenAtMs, 8, 6);
  bytes.writeUIntLE(header.length ?? lengthInTrailer, 14, 6);
  owner.copy(bytes, recordHeaderBytes);
  bytes.writeUInt32LE(crc32(owner, crc32(bytes.subarray(0, 20))), 20);
  return bytes;
}

/** The header at the start of `bytes`; undefined when there is none, or it is damaged or cut. */
export function decodeRecordHeader(bytes: Buffer): (RecordHeader & { readonly headerBytes: number }) | undefined {
  if (bytes.length < recordHeaderBytes || bytes.readUInt32LE(0) !== recordMagic) return undefined;
  const headerBytes = recordHeaderBytes + bytes.readUInt16LE(6);
  const owner = bytes.subarray(recordHeaderBytes, headerBytes);
  if (bytes.length < headerBytes || bytes.readUInt32LE(20) !== crc32(owner, crc32(bytes.subarray(0, 20)))) return undefined;
  const length = bytes.readUIntLE(14, 6);
  return {
    kind: bytes.readUInt8(4) === 1 ? 'message' : 'note',
    owner: owner.toString(),
    writtenAtMs: bytes.readUIntLE(8, 6),
    length: length === lengthInTrailer ? undefined : length,
    headerBytes,
  };
}

export function encodeRecordTrailer(trailer: RecordTrailer): Buffer {
  const bytes = Buffer.allocUnsafe(trailerBytes).fill(0); // as above
  bytes.writeUInt32LE(trailerMagic, 0);
  bytes.writeUInt8(trailer.outcome === 'whole' ? 1 : 2, 4);
  bytes.writeUIntLE(trailer.length, 8, 6);
  bytes.writeUIntLE(trailer.recordStart, 14, 6);
  trailer.digest.copy(bytes, 24);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
  return bytes;
}

/** The trailer at the start of `bytes`; undefined when there is none, or it is damaged or cut. */
export function decodeRecordTrailer(bytes: Buffer): RecordTrailer | undefined {
  if (bytes.length < trailerBytes || bytes.readUInt32LE(0) !== trailerMagic) return undefined;
  if (bytes.readUInt32LE(60) !== crc32(bytes.subarray(0, 60))) return undefined;
  return {
    length: bytes.readUIntLE(8, 6),
    recordStart: bytes.readUIntLE(14, 6),
    digest: Buffer.from(bytes.subarray(24, 56)),
    outcome: bytes.readUInt8(4) === 1 ? 'whole' : 'aborted',
  };
}
