/**
 * Which messages have which tokens, while a segment is gathered. Millions of entries: they lie in a few arrays of numbers, each token's chained
 * backwards from its last one, and pieces of letters and digits of US-ASCII, which most are, are found by number instead of by name.
 */
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
  #befores = new Int32Array(4096);
  #entries = 0;

  /** How many pairs of a token and a message there are. */
  get entries(): number {
    return this.#entries;
  }

  /** Ranks never go back. */
  addWord(token: string, rank: number): void {
    const number = this.#numbers.get(token);
    if (number === undefined) this.#numbers.set(ownCopy(token), this.#newToken(rank));
    else this.#enter(number, rank);
  }

  addPieces(run: string, rank: number): void {
    if (!/^[0-9A-Z]*$/.test(run)) {
      for (const piece of neighbours(run, pieceLength)) this.addWord(piece, rank);
      return;
    }
    for (let at = 0; at + pieceLength <= run.length; at += 1) {
      const code = (valueAt(run, at) * alphabet + valueAt(run, at + 1)) * alphabet + valueAt(run, at + 2);
      const number = this.#pieceNumbers[code] ?? none;
      if (number === none) this.#pieceNumbers[code] = this.#newToken(rank);
      else this.#enter(number, rank);
    }
  }

  /** Ascending by token. */
  sorted(): { readonly token: string; readonly ranks: () => number[] }[] {
    const all = [...this.#numbers];
    for (const [code, number] of this.#pieceNumbers.entries()) if (number !== none) all.push([pieceOf(code), number]);
    return all.sort(([one], [other]) => (one < other ? -1 : 1)).map(([token, number]) => ({ token, ranks: () => this.#ranksOf(number) }));
  }

  #newToken(rank: number): number {
    if (this.#tokens === this.#lasts.length) this.#lasts = grown(this.#lasts);
    const number = this.#tokens++;
    this.#lasts[number] = none;
    this.#append(number, rank);
    return number;
  }

  #enter(number: number, rank: number): void {
    if (this.#ranks[this.#lasts[number] ?? 0] !== rank) this.#append(number, rank);
  }

  #append(number: number, rank: number): void {
    if (this.#entries === this.#ranks.length) {
      this.#ranks = grown(this.#ranks);
      this.#befores = grown(this.#befores);
    }
    this.#ranks[this.#entries] = rank;
    this.#befores[this.#entries] = this.#lasts[number] ?? none;
    this.#lasts[number] = this.#entries++;
  }

  #ranksOf(number: number): number[] {
    const ranks: number[] = [];
    for (let entry = this.#lasts[number] ?? none; entry !== none; entry = this.#befores[entry] ?? none) ranks.push(this.#ranks[entry] ?? 0);
    return ranks.reverse();
  }
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
