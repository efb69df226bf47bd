/** What clients do: an act is some numbers, which mean something in every state, so that a run can be repeated, and made shorter. */
import type { OpenView } from './open-view.ts';

export const actKinds = [
  'append', 'append', 'append', 'store', 'store', 'store', 'store', 'copy', 'move', 'expunge', 'uid expunge', 'create', 'rename', 'delete', 'select', 'select', 'select', 'close', 'unselect',
  'fetch', 'fetch', 'fetch', 'search', 'search', 'search', 'sort', 'sort', 'thread', 'noop', 'idle', 'idle', 'status', 'list', 'list', 'subscribe', 'subscribe', 'uid only', 'search several', 'search several', 'catenate', 'catenate', 'urls', 'urls', 'urls',
  'notify', 'log out', 'follow', 'follow', 'limit', 'quota', 'replace', 'replace', 'use saved', 'annotate', 'read annotations', 'at once', 'at once', 'grant', 'grant', 'grant', 'rights', 'rights',
] as const;
export type ActKind = (typeof actKinds)[number];

export interface Act {
  readonly who: number;
  readonly kind: ActKind;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const names = ['INBOX', 'INBOX', 'INBOX', 'A', 'A', 'B', 'A/C', 'D'] as const;
const flagSets: readonly (readonly string[])[] = [[], ['\\Seen'], ['\\Deleted'], ['\\Deleted'], ['\\Flagged', '\\Deleted'], ['$A'], ['\\Seen', '$B'], ['\\Answered', '\\Draft']];

/** Mostly of another name: INBOX is there always, and stays. */
export function otherThanInbox(number: number): number {
  return number % 4 === 0 ? number : names.length * (number % 10) + 3 + (number % (names.length - 3));
}

/** Names INBOX; a guest's is the owner's. */
export const inboxNumber = 1;

export function nameOf(number: number): string {
  return names[number % names.length] ?? 'INBOX';
}

export function flagsOf(number: number): readonly string[] {
  return flagSets[number % flagSets.length] ?? [];
}

/** Messages as a client names them. */
export interface Chosen {
  readonly by: 'sequence' | 'uid';
  readonly set: string;
  /** Of the view, ascending; some may be gone. */
  readonly uids: readonly number[];
}

/** A set of messages of the view, of whatever form. */
export function choose(view: OpenView, { a, b, c }: Act): Chosen {
  const { uids } = view;
  const by = uids.length === 0 || view.numbering === 'uids' || a % 2 === 1 ? 'uid' : 'sequence';
  const most = by === 'uid' ? view.mailbox.uidNext : uids.length;
  const [first, second] = [1 + (b % most), 1 + (c % most)];
  const forms = [String(first), `${String(first)}:${String(second)}`, '1:*', `${String(first)},${String(second)}`, '$'];
  const form = (a >> 1) % forms.length;
  const [low, high] = [Math.min(first, second), Math.max(first, second)];
  const isIn = [(one: number) => one === first, (one: number) => one >= low && one <= high, () => true, (one: number) => one === first || one === second][form] ?? (() => false);
  if (forms[form] === '$') return { by, set: '$', uids: uids.filter((uid) => view.saved.includes(uid)) };
  return { by, set: forms[form] ?? '1', uids: uids.filter((uid, index) => isIn(by === 'uid' ? uid : index + 1)) };
}

/** `UID FETCH`, or `FETCH`. */
export function verbOf({ by }: Chosen, verb: string): string {
  return by === 'uid' ? `UID ${verb}` : verb;
}
