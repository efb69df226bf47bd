/**
 * Answers to searches that marks, places and days of arrival decide, kept by the worker as long as the mailbox stays as it is: mail programs ask for
 * what is unread, flagged or deleted again and again, and any change there gives the mailbox a new mod-sequence.
 */
import { LRUCache } from 'lru-cache';
import type { SearchKey } from '../../shared/imap/search-keys.ts';
import type { FoundList } from './found-list.ts';
import type { Session } from './session.ts';
import type { View } from './view.ts';

interface Answer {
  /** The mailbox has had no change since. */
  readonly modseq: number;
  /** Of the view, by which messages are numbered. It is not held: that of a large mailbox takes a megabyte, and after each change there is another one. */
  readonly uids: WeakRef<readonly number[]>;
  readonly found: FoundList;
}

/** Of all answers together, in bytes: that of ten thousand messages takes a fifth of a megabyte. */
const mostBytes = 16 * 1024 * 1024;
/** Two columns of numbers, and each once as text. */
const bytesOfMessage = 4 + 4 + 2 * 8;
/** What an answer takes beside its numbers and its name. */
const leastBytes = 500;
/** Of a key as text: a list of thousands of messages is hardly asked for again. */
const longestName = 500;
const unusedMs = 10 * 60_000;

const answers = new LRUCache<string, Answer>({
  maxSize: mostBytes, sizeCalculation: ({ found }, name) => leastBytes + 2 * name.length + bytesOfMessage * found.uids.length, ttl: unusedMs, updateAgeOnGet: true,
});

/** A search whose answer is kept, in the mailbox as it is now. */
export interface LastingSearch {
  readonly name: string;
  readonly modseq: number;
}

/**
 * Undefined where the answer may not be kept. To be made before the search is made ready: the bits of keywords are looked up for it, and what another
 * process changes between the two must not count as seen.
 */
export function lastingSearch(view: View, key: SearchKey): LastingSearch | undefined {
  const name = isLasting(key) ? nameOf(view, key) : undefined;
  return name === undefined ? undefined : { name, modseq: view.mailbox.latest().highestModseq };
}

/** What is kept, or else what `find` finds, which is kept if nothing happened in the mailbox meanwhile. */
export async function keptAnswer({ session, view }: { readonly session: Session; readonly view: View }, { name, modseq }: LastingSearch, find: () => Promise<FoundList>): Promise<FoundList> {
  const { uids } = view;
  const known = answers.get(name);
  if (known?.modseq === modseq && known.uids.deref() === uids) return known.found;
  const found = { ...await find(), written: new Map<ArrayLike<number>, string>() };
  const isWhole = !session.abandoned; // who has left is not searched for to the end
  if (isWhole && view.uids === uids && view.mailbox.latest().highestModseq === modseq) answers.set(name, { modseq, uids: new WeakRef(uids), found });
  return found;
}

function nameOf({ lasting }: View, key: SearchKey): string | undefined {
  const text = JSON.stringify(key);
  return text.length > longestName ? undefined : `${lasting} ${text}`;
}

/** Whether the same messages match for as long as the mod-sequence stays: not of what depends on the time or on the session, nor of sizes, which a repair may set right. */
function isLasting(key: SearchKey): boolean {
  switch (key.key) {
    case 'and':
      return key.operands.every(isLasting);
    case 'or':
      return isLasting(key.left) && isLasting(key.right);
    case 'not':
      return isLasting(key.operand);
    case 'sequence':
    case 'uid':
      return key.set !== 'saved';
    case 'before':
    case 'on':
    case 'since':
      return key.date !== 'sent';
    default:
      return lasting.has(key.key);
  }
}

const lasting: ReadonlySet<SearchKey['key']> = new Set(['all', 'flag', 'keyword', 'emailid', 'threadid']);
