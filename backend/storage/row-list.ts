/** Rows of a mailbox in the bytes of their blocks, for who looks at many: an object is made only for those that are asked for. Pure. */
import type { MessageRow, RowList } from './interface.ts';
import { RowCursor, lowerBound, rowBytes, rowIn, viewOf } from './row-block.ts';

export class PackedRows implements RowList {
  readonly #view: DataView;
  readonly #cursor: RowCursor;
  readonly length: number;

  /** @param blocks of one mailbox, ascending; what is in them is not changed any more */
  constructor(blocks: readonly Buffer[]) {
    const [only = Buffer.alloc(0), ...more] = blocks;
    this.#view = viewOf(more.length === 0 ? only : Buffer.concat(blocks));
    this.#cursor = new RowCursor(this.#view);
    this.length = this.#view.byteLength / rowBytes;
  }

  look(index: number): MessageRow {
    this.#cursor.at = index * rowBytes;
    return this.#cursor;
  }

  row(index: number): MessageRow {
    return rowIn(this.#view, index * rowBytes);
  }

  all(): MessageRow[] {
    return Array.from({ length: this.length }, (_, index) => this.row(index));
  }
}

/** Of these blocks what lies in the range: the first and the last may have more. */
export function rowsWithin(blocks: readonly Buffer[], { fromUid, toUid }: { readonly fromUid: number; readonly toUid: number }): PackedRows {
  const last = blocks.length - 1;
  return new PackedRows(blocks.map((block, index) => {
    if (index > 0 && index < last) return block;
    return block.subarray(lowerBound(block, fromUid), lowerBound(block, toUid + 1));
  }));
}
