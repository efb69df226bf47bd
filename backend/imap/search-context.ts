/**
 * Results that are kept up to date (CONTEXT=SEARCH and CONTEXT=SORT, RFC 5267 section 4.3): the client hears what enters
 * them and what leaves. They live as long as the mailbox is open; only flags, messages that come and messages that go count,
 * not the passing of time (OLDER, YOUNGER).
 */
import { Failure } from '../../shared/base/failure.ts';
import { partitionPoint } from '../../shared/base/lower-bound.ts';
import type { FetchItem } from '../../shared/imap/fetch-items.ts';
import type { SortCriterion } from '../../shared/imap/search-arguments.ts';
import type { SearchKey } from '../../shared/imap/search-keys.ts';
import { formatSet, resolveRanges } from '../../shared/imap/sequence-set.ts';
import type { SequenceSet } from '../../shared/imap/sequence-set.ts';
import type { Scanner } from '../../shared/imap/scanner.ts';
import { mailboxCommand } from './command.ts';
import type { Selected } from './command.ts';
import { fuzzyAtLeaves, Relevance } from './relevance.ts';
import { ok } from './replies.ts';
import { compileSearch } from './search-matcher.ts';
import { comparison, comparisonOfKnown, keyMessages } from './sort-order.ts';
import type { Comparable, Keyed } from './sort-order.ts';
import type { Follower, News, Numbered, Numbers, View } from './view.ts';

/** A client gets one in any case (RFC 5267 section 4.3.1), and further ones within these bounds. */
const mostFollowers = 16;
const mostFollowedMessages = 400_000;

interface Followed {
  readonly key: SearchKey;
  readonly numbers: Numbers;
  readonly criteria: readonly SortCriterion[] | undefined;
  /** In order. */
  readonly messages: readonly Keyed[];
  /** What stands in the brackets of its responses. */
  readonly correlator: string;
  /** What is told of new messages that come in (RFC 5465 section 7). */
  readonly fetch: readonly FetchItem[];
}

/** RFC 5267 section 4.3: a tag stands for one search whose results are kept up to date. */
export function requireFreshTag({ session, view }: Selected): void {
  if (view.followers.has(session.tag)) throw new Failure('bad-input', 'a search with that tag is kept up to date already');
}

/** Keeps them up to date from now on, under the tag of the running command; false when that would be too much. */
export function followResults({ session, view }: Selected, followed: Followed): boolean {
  const followers = [...view.followers.values()];
  const held = followers.reduce((sum, { size }) => sum + size, followed.messages.length);
  if (followers.length > 0 && (followers.length >= mostFollowers || held > mostFollowedMessages)) return false;
  const teller = new Teller(view, followed);
  const lasting = { ...followed, key: lastingKey(followed.key, view) };
  view.followers.set(session.tag, followed.criteria === undefined ? new FollowedSearch(teller, lasting) : new FollowedSort(teller, { ...lasting, criteria: followed.criteria }, followed.messages));
  return true;
}

export const cancelUpdate = mailboxCommand({
  verb: 'CANCELUPDATE',
  parse: (scanner: Scanner) => {
    const tags = [scanner.string()];
    while (scanner.accept(' ')) tags.push(scanner.string());
    return tags;
  },
  run: async ({ view }, tags) => {
    const unknown = tags.find((tag) => !view.followers.has(tag));
    if (unknown !== undefined) throw new Failure('bad-input', 'no search with that tag is kept up to date');
    for (const tag of tags) view.followers.delete(tag);
    return ok('CANCELUPDATE completed');
  },
});

/** Sequence numbers and `$` mean what they meant when the command came (RFC 5267 section 4.3). */
function lastingKey(key: SearchKey, view: View): SearchKey {
  if (key.key === 'and') return { key: 'and', operands: key.operands.map((operand) => lastingKey(operand, view)) };
  if (key.key === 'or') return { key: 'or', left: lastingKey(key.left, view), right: lastingKey(key.right, view) };
  if (key.key === 'not' || key.key === 'fuzzy') return { key: key.key, operand: lastingKey(key.operand, view) };
  if (key.key === 'sequence' || (key.key === 'uid' && key.set === 'saved')) return { key: 'uid', set: uidsOf(key.set, view) };
  return key;
}

function uidsOf(set: SequenceSet, view: View): SequenceSet {
  view.requireNumbering(set);
  if (set === 'saved') return view.saved.map((uid) => ({ first: uid, last: uid }));
  return resolveRanges(set, view.count)
    .filter(({ first }) => first >= 1 && first <= view.count)
    .map(({ first, last }) => ({ first: view.uidAt(first - 1), last: view.uidAt(Math.min(last, view.count) - 1) }));
}

/** Says in the client's numbers what happened to the results. */
class Teller {
  readonly view: View;
  readonly #correlator: string;
  readonly #numbers: Numbers;

  constructor(view: View, { correlator, numbers }: Pick<Followed, 'correlator' | 'numbers'>) {
    this.view = view;
    this.#correlator = correlator;
    this.#numbers = numbers;
  }

  /** `pairs`: positions, 0 for where they belong, and the messages that stand there; undefined for none. */
  line(items: readonly { readonly word: 'ADDTO' | 'REMOVEFROM'; readonly pairs: readonly Pair[] }[]): string | undefined {
    const said = items.filter(({ pairs }) => pairs.length > 0);
    if (said.length === 0) return undefined;
    const inUids = this.#numbers === 'uid' || this.view.numbering === 'uids'; // sequence numbers may have been renounced since
    const number = ({ uid, sequence }: Named): number => (inUids ? uid : sequence);
    const texts = said.map(({ word, pairs }) => `${word} (${pairs.map(({ position, messages }) => `${String(position)} ${formatSet(messages.map(number))}`).join(' ')})`);
    return `* ESEARCH (${this.#correlator})${inUids ? ' UID' : ''} ${texts.join(' ')}`;
  }

  /** Those of the rows that match or don't. */
  async divide(key: SearchKey, rows: News['touched']): Promise<{ readonly matching: Numbered[]; readonly others: Numbered[] }> {
    const relevance = new Relevance();
    const test = compileSearch(fuzzyAtLeaves(key), this.view, relevance);
    const divided = { matching: [] as Numbered[], others: [] as Numbered[] };
    for (const row of rows) {
      const sequence = this.view.sequenceOf(row.uid);
      if (sequence === undefined) continue;
      const candidate = { sequence, row };
      const matches = test.kind === 'row' ? test.matches(candidate) : await test.matches(candidate);
      (matches ? divided.matching : divided.others).push({ ...candidate, relevancy: relevance.of(row.uid) });
    }
    return divided;
  }
}

interface Named {
  readonly uid: number;
  readonly sequence: number;
}

interface Pair {
  readonly position: number;
  readonly messages: readonly Named[];
}

const named = ({ sequence, row }: Numbered): Named => ({ sequence, uid: row.uid });
const anywhere = (messages: readonly Named[]): Pair[] => (messages.length === 0 ? [] : [{ position: 0, messages }]);

/** Of a SEARCH: in mailbox order, where the client finds the places by itself. */
class FollowedSearch implements Follower {
  readonly #teller: Teller;
  readonly #key: SearchKey;
  readonly #uids: Set<number>;
  readonly fetch: readonly FetchItem[];

  constructor(teller: Teller, { key, messages, fetch }: Followed) {
    this.fetch = fetch;
    this.#teller = teller;
    this.#key = key;
    this.#uids = new Set(messages.map(({ message }) => message.row.uid));
  }

  get size(): number {
    return this.#uids.size;
  }

  holds(uid: number): boolean {
    return this.#uids.has(uid);
  }

  withdraw(vanished: News['vanished']): string | undefined {
    const lost = vanished.filter(({ uid }) => this.#uids.delete(uid));
    return this.#teller.line([{ word: 'REMOVEFROM', pairs: anywhere(lost.toSorted((one, other) => one.uid - other.uid)) }]);
  }

  async follow(touched: News['touched']): Promise<string | undefined> {
    const { matching, others } = await this.#teller.divide(this.#key, touched);
    const lost = others.filter(({ row }) => this.#uids.delete(row.uid));
    const won = matching.filter(({ row }) => !this.#uids.has(row.uid));
    for (const { row } of won) this.#uids.add(row.uid);
    return this.#teller.line([{ word: 'REMOVEFROM', pairs: anywhere(lost.map(named)) }, { word: 'ADDTO', pairs: anywhere(won.map(named)) }]);
  }
}

type InOrder = Omit<Followed, 'messages' | 'criteria'> & { readonly criteria: readonly SortCriterion[] };

/** Of a SORT: each place is told. What a message is sorted by never changes, and only that is held: there may be hundreds of thousands, in many sessions. */
class FollowedSort implements Follower {
  readonly #teller: Teller;
  readonly #key: SearchKey;
  readonly #criteria: readonly SortCriterion[];
  readonly #uids: Set<number>;
  readonly fetch: readonly FetchItem[];
  #order: readonly Comparable[];

  constructor(teller: Teller, { key, criteria, fetch }: InOrder, messages: readonly Keyed[]) {
    this.#teller = teller;
    this.#key = key;
    this.#criteria = criteria;
    this.fetch = fetch;
    this.#order = messages.map(known);
    this.#uids = new Set(this.#order.map(({ uid }) => uid));
  }

  get size(): number {
    return this.#order.length;
  }

  holds(uid: number): boolean {
    return this.#uids.has(uid);
  }

  withdraw(vanished: News['vanished']): string | undefined {
    return this.#teller.line([{ word: 'REMOVEFROM', pairs: this.#remove(vanished) }]);
  }

  async follow(touched: News['touched']): Promise<string | undefined> {
    const { matching, others } = await this.#teller.divide(this.#key, touched);
    const won = await keyMessages(this.#teller.view, matching.filter(({ row }) => !this.#uids.has(row.uid)), { criteria: this.#criteria });
    const removals = this.#remove(others.map(named));
    return this.#teller.line([{ word: 'REMOVEFROM', pairs: removals }, { word: 'ADDTO', pairs: this.#insert(won) }]);
  }

  /** From the last to the first: no position shifts before it is told. */
  #remove(gone: readonly Named[]): Pair[] {
    const lost = new Map(gone.filter(({ uid }) => this.#uids.delete(uid)).map((message) => [message.uid, message]));
    if (lost.size === 0) return [];
    const positions = this.#order.flatMap(({ uid }, index) => {
      const found = lost.get(uid);
      return found === undefined ? [] : [{ position: index + 1, message: found }];
    });
    this.#order = this.#order.filter(({ uid }) => !lost.has(uid));
    return joinNeighbours(positions).reverse();
  }

  /** From the first to the last: each finds those before it in their places. */
  #insert(won: readonly Keyed[]): Pair[] {
    if (won.length === 0) return [];
    const compare = comparisonOfKnown(this.#criteria);
    const merged: Comparable[] = [];
    const positions: Place[] = [];
    let taken = 0;
    for (const keyed of won.toSorted(comparison(this.#criteria))) {
      const added = known(keyed);
      const before = partitionPoint(this.#order.length, (index) => {
        const standing = this.#order[index];
        return standing !== undefined && compare(standing, added) < 0;
      });
      for (const standing of this.#order.slice(taken, before)) merged.push(standing);
      taken = Math.max(taken, before);
      merged.push(added);
      positions.push({ position: merged.length, message: named(keyed.message) });
      this.#uids.add(added.uid);
    }
    this.#order = [...merged, ...this.#order.slice(taken)];
    return joinNeighbours(positions);
  }
}

function known({ message, values }: Keyed): Comparable {
  return { uid: message.row.uid, values };
}

interface Place {
  readonly position: number;
  readonly message: Named;
}

/** Messages that stand side by side are told together. */
function joinNeighbours(places: readonly Place[]): Pair[] {
  const pairs: { position: number; messages: Named[] }[] = [];
  for (const { position, message } of places) {
    const last = pairs.at(-1);
    if (last !== undefined && last.position + last.messages.length === position) last.messages.push(message);
    else pairs.push({ position, messages: [message] });
  }
  return pairs;
}
