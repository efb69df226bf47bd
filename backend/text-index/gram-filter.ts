/**
 * Leaves out the stretches of a vocabulary in which a text can't be (pure): of each stretch it is known which three neighbouring characters are there, by
 * hashes of these. A search goes through a few stretches then, where it would go through megabytes.
 */

const gramLength = 3;
const tokensOfStretch = 64;
const hashBits = 12;
const lineFeed = 10;
/** A shorter vocabulary is as soon gone through. */
const leastCharacters = 256 * 1024;

/** Tokens, and where their characters are. */
export interface Stretch {
  readonly firstToken: number;
  readonly from: number;
  readonly to: number;
}

/** What a filter will take, for a vocabulary of so many characters and tokens. */
export function filterBytes(characters: number, tokens: number): number {
  return characters < leastCharacters ? 0 : 4 * wordsFor(tokens) * 2 ** hashBits;
}

/** So much of a vocabulary is noted at a time, which takes some milliseconds: those of a whole one would hold a worker up. */
export const notedAtOnce = 256 * 1024;

export class GramFilter {
  /** For each hash a bit for each stretch. */
  readonly #bits: Uint32Array;
  readonly #words: number;
  readonly #text: string;
  readonly #starts: Uint32Array;
  /** Stretches, from the first. */
  #noted = 0;

  /** Nothing is noted yet. @param text tokens, each with a line feed behind it. @param starts where they begin, and one more for the end */
  constructor(text: string, starts: Uint32Array) {
    this.#text = text;
    this.#starts = starts;
    this.#words = wordsFor(starts.length - 1);
    this.#bits = new Uint32Array(this.#words * 2 ** hashBits);
  }

  /** Undefined when nothing can be said of a vocabulary, or a text, so short. */
  static for(text: string, starts: Uint32Array): GramFilter | undefined {
    return text.length < leastCharacters ? undefined : new GramFilter(text, starts);
  }

  /** Notes about so many characters more; `whole` when all are. */
  grow(characters = notedAtOnce): 'whole' | 'in part' {
    const until = this.#stretch(this.#noted).from + characters;
    while (this.#noted * tokensOfStretch < this.#starts.length - 1) {
      if (this.#stretch(this.#noted).from >= until) return 'in part';
      this.#note(this.#noted);
      this.#noted += 1;
    }
    return 'whole';
  }

  /** Those in which the text may be, ascending; undefined when it is too short to say. A line feed is the end of a token. Only of a whole one. */
  stretches(text: string): Stretch[] | undefined {
    if (text.length < gramLength) return undefined;
    const left = this.#bits.slice(this.#words * hashAt(text, 0), this.#words * (hashAt(text, 0) + 1));
    for (let at = 1; at + gramLength <= text.length; at += 1) {
      const row = this.#words * hashAt(text, at);
      for (let word = 0; word < left.length; word += 1) left[word] = (left[word] ?? 0) & (this.#bits[row + word] ?? 0);
    }
    const found: Stretch[] = [];
    for (const [word, bits] of left.entries()) {
      for (let rest = bits; rest !== 0; rest = (rest & (rest - 1)) >>> 0) found.push(this.#stretch(32 * word + 31 - Math.clz32(rest & -rest)));
    }
    return found;
  }

  #stretch(number: number): Stretch {
    const firstToken = number * tokensOfStretch;
    return { firstToken, from: this.#starts[firstToken] ?? 0, to: this.#starts[Math.min(firstToken + tokensOfStretch, this.#starts.length - 1)] ?? 0 };
  }

  #note(stretch: number): void {
    const text = this.#text;
    const { from, to } = this.#stretch(stretch);
    const [word, bit] = [stretch >>> 5, 1 << (stretch & 31)];
    for (let at = from; at + gramLength <= to; at += 1) {
      if (text.charCodeAt(at) === lineFeed || text.charCodeAt(at + 1) === lineFeed) continue;
      const place = this.#words * hashAt(text, at) + word;
      this.#bits[place] = (this.#bits[place] ?? 0) | bit;
    }
  }
}

function wordsFor(tokens: number): number {
  return Math.ceil(tokens / tokensOfStretch / 32);
}

/** Of the three characters there (Fibonacci hashing). */
function hashAt(text: string, at: number): number {
  return Math.imul((text.charCodeAt(at) << 12) ^ (text.charCodeAt(at + 1) << 6) ^ text.charCodeAt(at + 2), 0x9e3779b1) >>> (32 - hashBits);
}
