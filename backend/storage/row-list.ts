/** Rows of a mailbox in the bytes of their blocks, for who looks at many: an object is made only for those that are asked for. Pure. */
import type { MessageRow, RowList } from './interface.ts';
import { RowCursor, lowerBound, rowBytes, rowIn, viewOf } from './row-block.ts';

export class PackedRows implements RowList {
  readonly #view: DataView;
  readonly #cursor: RowCursor;
  readonly length: number;

  /** @param block or several, one after the other, ascending; what is in them is not changed any more */
  constructor(block: Buffer) {
    this.#view = viewOf(block);
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

  lookFor(uid: number): MessageRow | undefined {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.look(middle).uid < uid) low = middle + 1;
      else high = middle;
    }
    return low < this.length && this.look(low).uid === uid ? this.#cursor : undefined;
  }

  all(): MessageRow[] {
    return Array.from({ length: this.length }, (_, index) => this.row(index));
  }
}

/** What of a block, or of several, lies in the range. */
export function rowsWithin(block: Buffer, { fromUid, toUid }: { readonly fromUid: number; readonly toUid: number }): PackedRows {
  return new PackedRows(block.subarray(lowerBound(block, fromUid), lowerBound(block, toUid + 1)));
}
