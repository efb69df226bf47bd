/** The tokens of one table of a segment: which hold a text, begin or end with it, or are it. */

import { GramFilter } from './gram-filter.ts';
import type { NeedleRun } from './tokens.ts';

export type Match = 'holds' | 'begins' | 'ends' | 'is';

/** How a token of a text matches that of a needle that is open so. */
export const matches: Readonly<Record<NeedleRun['open'], Match>> = { both: 'holds', start: 'ends', end: 'begins', none: 'is' };

/** Indexes of the tokens of a table that match. */
export function placesIn({ width, vocabulary }: { readonly width: 'narrow' | 'wide'; readonly vocabulary: Vocabulary }, { text, match }: { readonly text: string; readonly match: Match }): number[] {
  return width === 'narrow' && /[^\u0000-\u00ff]/.test(text) ? [] : vocabulary.find(text, match);
}

export class Vocabulary {
  /** All tokens, ascending, each between two line feeds. */
  readonly #text: string;
  /** Where each begins in `#text`; one more for the end. */
  readonly #starts: Uint32Array;
  /** Where the list of each begins, and that of the places of each word; one more for the end. */
  readonly #lists: Uint32Array;
  readonly #places: Uint32Array;
  /** Made by and by when it is first used. */
  #filter: { readonly made: GramFilter | undefined } | undefined;

  constructor(text: string, starts: Uint32Array, { lists, places = new Uint32Array(0) }: { readonly lists: Uint32Array; readonly places: Uint32Array | undefined }) {
    this.#text = text;
    this.#starts = starts;
    this.#lists = lists;
    this.#places = places;
  }

  get count(): number {
    return this.#starts.length - 1;
  }

  get characters(): number {
    return this.#text.length;
  }

  token(index: number): string {
    return this.#text.slice(this.#starts[index] ?? 0, (this.#starts[index + 1] ?? 1) - 1);
  }

  /** Where the token's list lies among all lists of the segment. */
  list(index: number): { readonly from: number; readonly to: number } {
    return { from: this.#lists[index] ?? 0, to: this.#lists[index + 1] ?? 0 };
  }

  /** Where the token's places in messages lie; nothing of pieces. */
  places(index: number): { readonly from: number; readonly to: number } {
    return { from: this.#places[index] ?? 0, to: this.#places[index + 1] ?? 0 };
  }

  /** Indexes of the tokens that match, ascending. */
  find(text: string, match: Match): number[] {
    if (match === 'is') {
      const index = this.#lowerBound(text);
      return index < this.count && this.token(index) === text ? [index] : [];
    }
    return match === 'begins' ? this.#beginningWith(text) : this.#scan(match === 'ends' ? `${text}\n` : text);
  }

  #beginningWith(text: string): number[] {
    const found: number[] = [];
    for (let index = this.#lowerBound(text); index < this.count && this.#text.startsWith(text, this.#starts[index]); index += 1) found.push(index);
    return found;
  }

  #scan(text: string): number[] {
    const found: number[] = [];
    this.#filter ??= { made: GramFilter.for(this.#text, this.#starts) };
    const { made } = this.#filter;
    const stretches = made?.grow() === 'whole' ? made.stretches(text) : undefined;
    for (const { firstToken, from, to } of stretches ?? [{ firstToken: 0, from: 0, to: this.#text.length }]) {
      const stretch = this.#text.slice(from, to);
      let at = stretch.indexOf(text);
      while (at !== -1) {
        const index = this.#tokenAt(from + at, Math.max(firstToken, (found.at(-1) ?? -1) + 1));
        found.push(index);
        at = stretch.indexOf(text, (this.#starts[index + 1] ?? 0) - from);
      }
    }
    return found;
  }

  /** The token in which that position lies; not before `from`. */
  #tokenAt(position: number, from: number): number {
    let step = 1; // hits are often near to each other
    while (from + step < this.count && (this.#starts[from + step] ?? 0) <= position) step *= 2;
    let low = from + (step >>> 1);
    let high = Math.min(from + step, this.count - 1);
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#starts[middle] ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The first token that is not before `text`. */
  #lowerBound(text: string): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.token(middle) < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
