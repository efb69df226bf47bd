/** The bytes of a block of rows (pure): rows of fixed width, ascending by uid, without gaps. */
import type { MessageRow } from './interface.ts';

/** Bytes of one row. */
export const rowBytes = 56;

/** An empty block. */
export const emptyBlock = Buffer.alloc(0);

/** The rows with fromUid <= uid <= toUid and modseq > sinceModseq are added to `into`. */
export function collectRows(block: Buffer, range: { fromUid: number; toUid: number; sinceModseq: number }, into: MessageRow[]): void {
  const view = viewOf(block);
  for (let at = 0; at < block.length; at += rowBytes) {
    const uid = view.getUint32(at, true);
    if (uid < range.fromUid || uid > range.toUid || view.getFloat64(at + 8, true) <= range.sinceModseq) continue;
    into.push(rowIn(view, at));
  }
}

/** The engine reads numbers through it several times faster than by the methods of Buffer. */
export function viewOf(block: Buffer): DataView {
  return new DataView(block.buffer, block.byteOffset, block.length);
}

/** The uids of the rows are added to `into`. */
export function collectUids(block: Buffer, into: number[]): void {
  const view = viewOf(block);
  for (let at = 0; at < block.length; at += rowBytes) into.push(view.getUint32(at, true));
}

/** The sizes of its rows, bytes. */
export function sizesIn(block: Buffer): Uint32Array {
  const view = viewOf(block);
  const sizes = new Uint32Array(block.length / rowBytes);
  for (let index = 0; index < sizes.length; index += 1) sizes[index] = view.getUint32(index * rowBytes + 20, true);
  return sizes;
}

/** The highest mod-sequence of its rows; 0 for an empty block. */
export function highestModseq(block: Buffer): number {
  const view = viewOf(block);
  let highest = 0;
  for (let at = 0; at < block.length; at += rowBytes) {
    const modseq = view.getFloat64(at + 8, true);
    if (modseq > highest) highest = modseq;
  }
  return highest;
}

/** The row of that uid, or undefined. */
export function findRow(block: Buffer, uid: number): MessageRow | undefined {
  const at = lowerBound(block, uid);
  return at < block.length && block.readUInt32LE(at) === uid ? rowIn(viewOf(block), at) : undefined;
}

/** The block with that row put in or replaced. The block given is used up: it may have become the new one. */
export function withRow(block: Buffer, row: MessageRow): Buffer {
  const at = lowerBound(block, row.uid);
  if (at === block.length || block.readUInt32LE(at) !== row.uid) {
    const grown = Buffer.allocUnsafe(block.length + rowBytes);
    block.copy(grown, 0, 0, at);
    block.copy(grown, at + rowBytes, at);
    encodeRow(row, viewOf(grown), at);
    return grown;
  }
  encodeRow(row, viewOf(block), at);
  return block;
}

/** The block without the row of that uid. The block given is used up, as with `withRow`. */
export function withoutRow(block: Buffer, uid: number): Buffer {
  const at = lowerBound(block, uid);
  if (at === block.length || block.readUInt32LE(at) !== uid) return block;
  block.copyWithin(at, at + rowBytes);
  return block.subarray(0, -rowBytes);
}

/** Where the first row with at least that uid begins. */
export function lowerBound(block: Buffer, uid: number): number {
  let low = 0;
  let high = block.length / rowBytes;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (block.readUInt32LE(middle * rowBytes) < uid) low = middle + 1;
    else high = middle;
  }
  return low * rowBytes;
}

function encodeRow(row: MessageRow, view: DataView, at: number): void {
  view.setUint32(at, row.uid, true);
  view.setUint32(at + 4, row.flags, true);
  view.setFloat64(at + 8, row.modseq, true);
  view.setUint32(at + 16, row.keywords, true);
  view.setUint32(at + 20, row.size, true);
  view.setFloat64(at + 24, row.internalDateMs, true);
  view.setFloat64(at + 32, row.savedDateMs, true);
  view.setFloat64(at + 40, row.messageId, true);
  view.setFloat64(at + 48, row.threadId, true);
}

/** The row that begins at that byte. */
export function rowIn(view: DataView, at: number): MessageRow {
  return {
    uid: view.getUint32(at, true),
    modseq: view.getFloat64(at + 8, true),
    flags: view.getUint32(at + 4, true),
    keywords: view.getUint32(at + 16, true),
    size: view.getUint32(at + 20, true),
    internalDateMs: view.getFloat64(at + 24, true),
    savedDateMs: view.getFloat64(at + 32, true),
    messageId: view.getFloat64(at + 40, true),
    threadId: view.getFloat64(at + 48, true),
  };
}

/** Reads the row that begins at byte `at`, and changes its flags in place; it is another when that is changed. */
export class RowCursor implements MessageRow {
  readonly #view: DataView;
  at = 0;

  constructor(view: DataView) {
    this.#view = view;
  }

  get uid(): number { return this.#view.getUint32(this.at, true); }
  get flags(): number { return this.#view.getUint32(this.at + 4, true); }
  get modseq(): number { return this.#view.getFloat64(this.at + 8, true); }
  get keywords(): number { return this.#view.getUint32(this.at + 16, true); }
  get size(): number { return this.#view.getUint32(this.at + 20, true); }
  get internalDateMs(): number { return this.#view.getFloat64(this.at + 24, true); }
  get savedDateMs(): number { return this.#view.getFloat64(this.at + 32, true); }
  get messageId(): number { return this.#view.getFloat64(this.at + 40, true); }
  get threadId(): number { return this.#view.getFloat64(this.at + 48, true); }

  setFlags(flags: number, keywords: number): void {
    this.#view.setUint32(this.at + 4, flags, true);
    this.#view.setUint32(this.at + 16, keywords, true);
  }

  setModseq(modseq: number): void {
    this.#view.setFloat64(this.at + 8, modseq, true);
  }
}

/** Uids as pairs of first and last, for the log of expunged messages. `uids` ascend. */
export function encodeUidRanges(uids: readonly number[]): Buffer {
  const ranges: { first: number; last: number }[] = [];
  for (const uid of uids) {
    const open = ranges.at(-1);
    if (open !== undefined && open.last + 1 === uid) open.last = uid;
    else ranges.push({ first: uid, last: uid });
  }
  const bytes = Buffer.alloc(ranges.length * 8);
  for (const [index, range] of ranges.entries()) {
    bytes.writeUInt32LE(range.first, index * 8);
    bytes.writeUInt32LE(range.last, index * 8 + 4);
  }
  return bytes;
}

/** The uids of `encodeUidRanges`, ascending. */
export function decodeUidRanges(bytes: Buffer): number[] {
  const uids: number[] = [];
  for (let at = 0; at < bytes.length; at += 8) {
    for (let uid = bytes.readUInt32LE(at); uid <= bytes.readUInt32LE(at + 4); uid += 1) uids.push(uid);
  }
  return uids;
}
