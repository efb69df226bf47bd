/** Some messages of a view with their rows: an object is made only for those that are asked for. */
import type { RowList } from '../storage/storage.ts';
import type { Numbered, Span } from './view.ts';

export class ViewBatch {
  readonly #rows: RowList;
  /** Where in `#rows`, and under which sequence number. */
  readonly #places: Uint32Array;
  readonly #sequences: Uint32Array;
  readonly #looked: { sequence: number; row: Numbered['row'] };
  readonly length: number;

  /** @param uids of the view, by position; rows that it does not know are left out */
  constructor(rows: RowList, span: Span, uids: readonly number[]) {
    this.#rows = rows;
    this.#places = new Uint32Array(rows.length);
    this.#sequences = new Uint32Array(rows.length);
    let length = 0;
    let position = span.from;
    for (let place = 0; place < rows.length; place += 1) {
      const { uid } = rows.look(place);
      while (position <= span.to && (uids[position] ?? 0) < uid) position += 1;
      if (position > span.to || uids[position] !== uid) continue;
      this.#places[length] = place;
      this.#sequences[length] = position + 1;
      length += 1;
    }
    this.length = length;
    this.#looked = { sequence: 0, row: rows.look(0) };
  }

  /** The message at that place, counted from 0. The object is another message's after the next call. */
  look(index: number): Numbered {
    this.#looked.sequence = this.#sequences[index] ?? 0;
    this.#looked.row = this.#rows.look(this.#places[index] ?? 0);
    return this.#looked;
  }

  /** The same, to be kept. */
  message(index: number): Numbered {
    return { sequence: this.#sequences[index] ?? 0, row: this.#rows.row(this.#places[index] ?? 0) };
  }

  all(): Numbered[] {
    return Array.from({ length: this.length }, (_, index) => this.message(index));
  }
}
