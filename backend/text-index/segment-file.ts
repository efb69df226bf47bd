/** Reads a segment's file: the directory once, lists when they are asked for. Every byte is checked before it is believed. */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { FileReads } from './file-reads.ts';
import { filterBytes } from './gram-filter.ts';
import type { SegmentLists } from './list-cache.ts';
import { blockBytes, decodeFooter, footerBytes } from './segment-format.ts';
import type { DirectoryShape, Field, TableShape, TokenKind } from './segment-format.ts';
import { Vocabulary } from './vocabulary.ts';

/** The file is not as it was written: the index of the mailbox is to be made anew. */
export class DamagedIndex extends Error {}

/** Lists that lie so near to each other are read at once. */
const gapBytes = 8 * 1024;
/** One read is not longer than this, but for a list that is. */
const readBytes = 1024 * 1024;

export interface Table extends TableShape {
  readonly vocabulary: Vocabulary;
}

/** A place among the lists. */
export interface ListPlace {
  readonly from: number;
  readonly to: number;
}

export class Segment {
  readonly uids: Uint32Array;
  /** Ranks of messages that are always looked into. */
  readonly opaque: readonly number[];
  readonly tables: readonly Table[];
  /** What it holds in memory. */
  readonly memoryBytes: number;
  readonly #file: FileHandle;
  readonly #reads: FileReads;
  readonly #checksums: Uint32Array;
  readonly #listBytes: number;
  readonly #kept: SegmentLists | undefined;

  private constructor(file: FileHandle, directory: Buffer, kept: SegmentLists | undefined) {
    const { shape, uids, checksums, tables } = readDirectory(directory);
    this.#file = file;
    this.#reads = new FileReads(file);
    this.#checksums = checksums;
    this.#listBytes = shape.listBytes;
    this.uids = uids;
    this.opaque = shape.opaque;
    this.tables = tables;
    this.#kept = kept;
    this.memoryBytes = directory.length + tables.reduce((sum, { bytes, vocabulary }) => sum + bytes + filterBytes(vocabulary.characters, vocabulary.count), 0); // texts of vocabularies have been copied out of it
  }

  /** @param kept keeps lists that were read; none when absent. Throws DamagedIndex, or the system's error. */
  static async open(path: string, kept?: SegmentLists): Promise<Segment> {
    const file = await open(path, 'r');
    try {
      return new Segment(file, await readWholeDirectory(file), kept);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  tablesOf(field: Field, kind: TokenKind): readonly Table[] {
    return this.tables.filter((table) => table.field === field && table.kind === kind);
  }

  /** Hears the bytes of each list, in the order of their places, which ascend. Throws DamagedIndex. */
  async hearLists(places: readonly ListPlace[], hear: (list: Buffer, index: number) => void): Promise<void> {
    for (let first = 0; first < places.length; ) {
      let last = first;
      const from = places[first]?.from ?? 0;
      const kept = this.#kept?.get(from);
      if (kept !== undefined) {
        hear(kept, first++);
        continue;
      }
      while (last + 1 < places.length && (places[last + 1]?.from ?? 0) - (places[last]?.to ?? 0) <= gapBytes && (places[last + 1]?.to ?? 0) - from <= readBytes) last += 1;
      const start = from - (from % blockBytes);
      const bytes = await this.#readBlocks(start, places[last]?.to ?? 0);
      for (; first <= last; first += 1) {
        const list = bytes.subarray((places[first]?.from ?? 0) - start, (places[first]?.to ?? 0) - start);
        this.#kept?.keep(places[first]?.from ?? 0, list);
        hear(list, first);
      }
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** From the beginning of a block; whole blocks, but for the last one. */
  async #readBlocks(start: number, to: number): Promise<Buffer> {
    const end = Math.min(this.#listBytes, Math.ceil(to / blockBytes) * blockBytes);
    const bytes = await this.#reads.read(start, end - start);
    if (bytes.length < end - start) throw new DamagedIndex('the file ends too early');
    for (let at = 0; at < bytes.length; at += blockBytes) {
      if (crc32(bytes.subarray(at, at + blockBytes)) !== this.#checksums[(start + at) / blockBytes]) throw new DamagedIndex('a block of lists is not as it was written');
    }
    return bytes;
  }
}

async function readWholeDirectory(file: FileHandle): Promise<Buffer> {
  const { size } = await file.stat();
  if (size < footerBytes) throw new DamagedIndex('the file is too short');
  const footer = decodeFooter(await readFully(file, size - footerBytes, footerBytes));
  if (footer === undefined || footer.directoryStart + footer.directoryBytes + footerBytes !== size) throw new DamagedIndex('the footer is not as it was written');
  const directory = await readFully(file, footer.directoryStart, footer.directoryBytes);
  if (crc32(directory) !== footer.directoryCrc) throw new DamagedIndex('the directory is not as it was written');
  return directory;
}

async function readFully(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) throw new DamagedIndex('the file ends too early');
    filled += bytesRead;
  }
  return bytes;
}

function readDirectory(directory: Buffer): { readonly shape: DirectoryShape; readonly uids: Uint32Array; readonly checksums: Uint32Array; readonly tables: readonly Table[] } {
  let at = 0;
  const takeNumbers = (count: number): Uint32Array => {
    const numbers = new Uint32Array(directory.buffer, directory.byteOffset + at, count);
    at += 4 * count;
    return numbers;
  };
  const jsonBytes = takeNumbers(1)[0] ?? 0;
  const shape = JSON.parse(directory.toString('utf8', at, at + jsonBytes)) as DirectoryShape; // written by us: the checksum says so
  at += jsonBytes;
  const uids = takeNumbers(shape.messages);
  const checksums = takeNumbers(Math.ceil(shape.listBytes / blockBytes));
  const tables = shape.tables.map((table) => {
    const starts = takeNumbers(table.count + 1);
    const lists = takeNumbers(table.count + 1);
    const places = table.kind === 'word' ? takeNumbers(table.count + 1).map((place) => shape.placesStart + place) : undefined;
    const text = directory.toString(table.width === 'narrow' ? 'latin1' : 'utf16le', at, at + table.bytes);
    at += Math.ceil(table.bytes / 4) * 4;
    return { ...table, vocabulary: new Vocabulary(text, starts, { lists, places }) };
  });
  return { shape, uids, checksums, tables };
}
