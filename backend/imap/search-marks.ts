/** The flags and keywords that a search asks for (pure), as bits: all of them are looked at by one comparison. */
import type { SearchKey } from '../../shared/imap/search-keys.ts';
import type { MessageRow } from '../storage/storage.ts';
import { flagBits } from './flag-texts.ts';

export interface Marks {
  readonly flags: Bits;
  readonly keywords: Bits;
}

/** Those that have to be set, and those that must not be. */
interface Bits {
  readonly set: number;
  readonly unset: number;
}

const none: Bits = { set: 0, unset: 0 };

/** Undefined where a key asks for something else, or for a keyword that has no bit. @param bitOf of a keyword; negative: it has none */
export function marksOf(key: SearchKey, bitOf: (keyword: string) => number): Marks | undefined {
  if (key.key === 'not') {
    const { operand } = key;
    const marks = operand.key === 'flag' || operand.key === 'keyword' ? marksOf(operand, bitOf) : undefined;
    return marks && { flags: { set: 0, unset: marks.flags.set }, keywords: { set: 0, unset: marks.keywords.set } };
  }
  if (key.key === 'flag') return { flags: { set: flagBits[key.flag], unset: 0 }, keywords: none };
  const bit = key.key === 'keyword' ? bitOf(key.keyword) : -1;
  return bit < 0 ? undefined : { flags: none, keywords: { set: 1 << bit, unset: 0 } };
}

/** Whether a message has them all. */
export function markTest(all: readonly Marks[]): (row: Pick<MessageRow, 'flags' | 'keywords'>) => boolean {
  const [flags, keywords] = [together(all.map((marks) => marks.flags)), together(all.map((marks) => marks.keywords))];
  return (row) => isAs(row.flags, flags) && isAs(row.keywords, keywords);
}

function isAs(bits: number, { set, unset }: Bits): boolean {
  return (bits & set) === set && (bits & unset) === 0;
}

function together(all: readonly Bits[]): Bits {
  return all.reduce((sum, { set, unset }) => ({ set: sum.set | set, unset: sum.unset | unset }), none);
}
