/**
 * Which messages have which tokens, and where, while a segment is gathered. Millions of entries: they lie in a few arrays of numbers, each token's chained
 * backwards from its last one, and pieces of letters and digits of US-ASCII, which most are, are found by number instead of by name.
 */
import { encodePlaces } from './place-list.ts';
import type { Place } from './place-list.ts';
import type { TableEntry } from './segment-format.ts';
import { neighbours, pieceLength } from './tokens.ts';

/** What stands for a character of a piece: 0-9, A-Z. */
const alphabet = 36;
const none = -1;

export class TokenLists {
  readonly #numbers = new Map<string, number>();
  readonly #pieceNumbers = new Int32Array(alphabet ** pieceLength).fill(none);
  /** Of each token: its last entry. */
  #lasts = new Int32Array(1024);
  #tokens = 0;
  #ranks = new Int32Array(4096);
  #places = new Int32Array(4096);
  #befores = new Int32Array(4096);
  #entries = 0;
  /** Those of one token, from its last one on. */
  #backwards = { ranks: new Int32Array(1024), places: new Int32Array(1024) };

  /** How many pairs of a token and its place are held; of pieces, of a token and a message. */
  get entries(): number {
    return this.#entries;
  }

  /** Ranks, and places in a message, never go back. */
  addWord(token: string, rank: number, place: Place): void {
    const number = this.#numbers.get(token);
    this.#append(number ?? this.#newName(token), rank, place);
  }

  addPieces(run: string, rank: number): void {
    if (/^[0-9A-Z]*$/.test(run)) {
      for (let at = 0; at + pieceLength <= run.length; at += 1) this.#addPiece(codeAt(run, at), rank);
      return;
    }
    for (const piece of neighbours(run, pieceLength)) {
      if (/^[0-9A-Z]*$/.test(piece)) this.#addPiece(codeAt(piece, 0), rank); // each piece has one list, whatever runs it is in
      else this.#enter(this.#numbers.get(piece) ?? this.#newName(piece), rank);
    }
  }

  #addPiece(code: number, rank: number): void {
    const number = this.#pieceNumbers[code] ?? none;
    if (number === none) this.#append((this.#pieceNumbers[code] = this.#newToken()), rank, 0);
    else this.#enter(number, rank);
  }

  /** Ascending by token; each is made when its turn comes. */
  sorted(): { readonly token: string; readonly entry: () => TableEntry }[] {
    const all = [...this.#numbers];
    for (const [code, number] of this.#pieceNumbers.entries()) if (number !== none) all.push([pieceOf(code), number]);
    return all.sort(([one], [other]) => (one < other ? -1 : 1)).map(([token, number]) => ({ token, entry: () => this.#entryOf(token, number) }));
  }

  #newName(token: string): number {
    const number = this.#newToken();
    this.#numbers.set(ownCopy(token), number);
    return number;
  }

  #newToken(): number {
    if (this.#tokens === this.#lasts.length) this.#lasts = grown(this.#lasts);
    const number = this.#tokens++;
    this.#lasts[number] = none;
    return number;
  }

  /** Once for each message. */
  #enter(number: number, rank: number): void {
    const last = this.#lasts[number] ?? none;
    if (last === none || this.#ranks[last] !== rank) this.#append(number, rank, 0);
  }

  #append(number: number, rank: number, place: Place): void {
    if (this.#entries === this.#ranks.length) {
      this.#ranks = grown(this.#ranks);
      this.#places = grown(this.#places);
      this.#befores = grown(this.#befores);
    }
    this.#ranks[this.#entries] = rank;
    this.#places[this.#entries] = place;
    this.#befores[this.#entries] = this.#lasts[number] ?? none;
    this.#lasts[number] = this.#entries++;
  }

  /** To be used before the next one is made. */
  #entryOf(token: string, number: number): TableEntry {
    const ranks: number[] = [];
    let count = 0;
    for (let entry = this.#lasts[number] ?? none; entry !== none; entry = this.#befores[entry] ?? none) {
      const rank = this.#ranks[entry] ?? 0;
      if (ranks[ranks.length - 1] !== rank) ranks.push(rank);
      if (count === this.#backwards.ranks.length) this.#backwards = { ranks: grown(this.#backwards.ranks), places: grown(this.#backwards.places) };
      this.#backwards.ranks[count] = rank;
      this.#backwards.places[count++] = this.#places[entry] ?? 0;
    }
    return { token, ranks: ranks.reverse(), writePlaces: (into) => encodePlaces({ ...this.#backwards, count }, into) };
  }
}

/** Of the piece that begins there. */
function codeAt(run: string, at: number): number {
  return (valueAt(run, at) * alphabet + valueAt(run, at + 1)) * alphabet + valueAt(run, at + 2);
}

function valueAt(run: string, at: number): number {
  const unit = run.charCodeAt(at);
  return unit < 0x41 ? unit - 0x30 : unit - 0x41 + 10;
}

function pieceOf(code: number): string {
  return code.toString(alphabet).padStart(pieceLength, '0').toUpperCase();
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** A token that is cut out of a text would keep the whole text in memory. */
function ownCopy(token: string): string {
  return token.length < 13 ? token : ` ${token}`.slice(1);
}
