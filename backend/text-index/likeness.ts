/**
 * When words are alike (pure), for FUZZY searches (RFC 6203): accents count for nothing, endings for little, and in longer
 * words a letter may be wrong. Words are casemapped, so an accent is a character of its own behind its letter.
 */

/** The score of a word that is the one asked for, but for accents. What holds the very text asked for has 100. */
const same = 95;
const sameStem = 85;
const longer = 75;
const oneTypo = 60;
const twoTypos = 45;

/** Shorter words must be there as they are. */
const leastForBeginning = 3;
const leastForOneTypo = 5;
const leastForTwoTypos = 9;
const leastStem = 4;

/** Endings of inflection in English, German, French, Spanish, Italian and Portuguese, the longest first. */
const endings = ['INGS', 'MENT', 'ENDE', 'ING', 'ERS', 'ENS', 'IES', 'ION', 'ED', 'ES', 'EN', 'ER', 'EM', 'LY', 'OS', 'AS', 'S', 'E', 'N', 'A', 'O', 'I', 'Y'];

/** A word without its accents. */
export function bare(word: string): string {
  return word.replace(/\p{M}/gu, '');
}

/** A word of a search, taken apart once. */
export interface FuzzyWord {
  readonly bare: string;
  readonly stem: string;
}

export function fuzzyWord(word: string): FuzzyWord {
  const letters = bare(word);
  return { bare: letters, stem: stemOf(letters) };
}

/** 0: not alike; else the more alike, the more, up to 95. Words that begin differently are not alike. */
export function likeness({ bare: wanted, stem }: FuzzyWord, token: string): number {
  if (wanted.charCodeAt(0) !== token.charCodeAt(0)) return 0;
  const word = /^[\x00-\x7f]*$/.test(token) ? token : bare(token);
  if (word === wanted) return same;
  if (stem.length >= leastStem && word.startsWith(stem) && stemOf(word) === stem) return sameStem;
  if (wanted.length >= leastForBeginning && word.startsWith(wanted)) return longer;
  const typos = wanted.length >= leastForTwoTypos ? 2 : wanted.length >= leastForOneTypo ? 1 : 0;
  const distance = typos === 0 || Math.abs(word.length - wanted.length) > typos ? Infinity : distanceOf(wanted, word);
  if (distance > typos) return 0;
  return distance === 1 ? oneTypo : twoTypos;
}

function stemOf(word: string): string {
  const ending = endings.find((one) => word.length - one.length >= leastStem && word.endsWith(one));
  return ending === undefined ? word : word.slice(0, -ending.length);
}

/** How many letters must be put in, left out, replaced, or change places with their neighbour. */
function distanceOf(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let row = 1; row <= one.length; row += 1) {
    const now = [row];
    for (let at = 1; at <= other.length; at += 1) {
      const equal = one[row - 1] === other[at - 1];
      let least = Math.min((last[at] ?? 0) + 1, (now[at - 1] ?? 0) + 1, (last[at - 1] ?? 0) + (equal ? 0 : 1));
      if (row > 1 && at > 1 && one[row - 1] === other[at - 2] && one[row - 2] === other[at - 1]) least = Math.min(least, (beforeLast[at - 2] ?? 0) + 1);
      now.push(least);
    }
    beforeLast = last;
    last = now;
  }
  return last[other.length] ?? 0;
}
