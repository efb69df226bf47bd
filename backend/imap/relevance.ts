/** How well messages match the FUZZY keys of a search (RFC 6203): gathered while they are looked for. */
import type { SearchKey } from '../../shared/imap/search-keys.ts';

/** The score of what matches exactly (RFC 6203 section 4). */
export const mostRelevant = 100;

export class Relevance {
  readonly #scores = new Map<number, { sum: number; keys: number }>();

  /** A FUZZY key matches the message so well: 1 to 100. */
  note(uid: number, score: number): void {
    const known = this.#scores.get(uid);
    if (known === undefined) this.#scores.set(uid, { sum: score, keys: 1 });
    else {
      known.sum += score;
      known.keys += 1;
    }
  }

  /** The mean of its keys' scores; of a message that no FUZZY key was asked about the highest. */
  of(uid: number): number {
    const known = this.#scores.get(uid);
    return known === undefined ? mostRelevant : Math.max(1, Math.round(known.sum / known.keys));
  }
}

/** The same search with FUZZY at each single key that it reaches: it means all keys of a list, and what is under NOT and OR. */
export function fuzzyAtLeaves(key: SearchKey, reach: 'fuzzy' | 'exact' = 'exact'): SearchKey {
  switch (key.key) {
    case 'fuzzy':
      return fuzzyAtLeaves(key.operand, 'fuzzy');
    case 'not':
      return { key: 'not', operand: fuzzyAtLeaves(key.operand, reach) };
    case 'and':
      return { key: 'and', operands: key.operands.map((operand) => fuzzyAtLeaves(operand, reach)) };
    case 'or':
      return { key: 'or', left: fuzzyAtLeaves(key.left, reach), right: fuzzyAtLeaves(key.right, reach) };
    default:
      return reach === 'fuzzy' ? { key: 'fuzzy', operand: key } : key;
  }
}
