/**
 * The mailboxes of an account as a session knows them, and what became different since (RFC 5465 section 5): counters of mailboxes that
 * are not open, names, subscriptions. What others did is found by comparing, so that hints may get lost.
 */
import type { OwnAnnotations } from './annotation-news.ts';
import type { Account, MailboxState } from '../storage/storage.ts';

/** What an event concerns. */
export type MailboxEvent =
  | { readonly kind: 'counters'; readonly state: MailboxState; readonly changed: ReadonlySet<Changed> }
  | NameEvent
  | { readonly kind: 'subscription'; readonly name: string; readonly subscribed: boolean };
type NameEvent =
  /** Made, or gone. */
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'renamed'; readonly name: string; readonly oldName: string };
export type Changed = 'messages' | 'flags' | 'unseen' | 'uidvalidity';

/** What hints named since the last look. */
export type Look = 'all' | ReadonlySet<number>;

/** Messages that the client removed by closing the mailbox. */
export interface OwnRemoval {
  readonly count: number;
  readonly modseq: number;
  /** Whether the client had been told of all that happened in the mailbox before. */
  readonly before: 'known' | 'news';
}

export class KnownMailboxes {
  /** By id, as of the last look at all. */
  #names: ReadonlyMap<number, string>;
  /** By id, as told; also of a mailbox that others have made since the last look at all, once the client itself put messages in. */
  #counters: Map<number, MailboxState>;
  #subscriptions: ReadonlySet<string>;
  readonly #ownNames = new Set<string>();

  /** As they are now. */
  constructor(account: Account) {
    const states = account.mailboxes();
    this.#names = namesById(states);
    this.#counters = new Map(states.map((state) => [state.id, state]));
    this.#subscriptions = new Set(account.subscriptions());
  }

  get count(): number {
    return this.#names.size;
  }

  all(): readonly MailboxState[] {
    return [...this.#counters.values()];
  }

  isSubscribed(name: string): boolean {
    return this.#subscriptions.has(name);
  }

  /** The client put these messages in: no news to it (RFC 5465 section 5). */
  noteOwnMessages(uids: readonly number[], state: MailboxState): void {
    const known = this.#counters.get(state.id) ?? { ...emptied(state), highestModseq: state.highestModseq - 1 };
    this.#counters.set(state.id, withOwnMessages(known, uids, state));
  }

  /** The client changed annotations. */
  noteOwnAnnotations({ place, modseq }: OwnAnnotations): void {
    const known = place === 'account' ? undefined : this.#counters.get(place);
    if (known !== undefined) this.#counters.set(known.id, withOwnAnnotations(known, modseq));
  }

  /** The client knows of so many messages in a mailbox that was open to it. */
  noteUntold(id: number, messages: number): void {
    const known = this.#counters.get(id);
    if (known !== undefined) this.#counters.set(id, { ...known, messages });
  }

  /** The client removed messages, and did not look at the mailbox any more: what others did to it before and since is still news. */
  noteOwnRemoval(removed: OwnRemoval, state: MailboxState): void {
    const known = this.#counters.get(state.id);
    if (known !== undefined) this.#counters.set(state.id, withOwnRemoval(known, removed, state));
  }

  /** The client made, renamed, removed or (un)subscribed it. */
  noteOwnName(name: string): void {
    this.#ownNames.add(name);
  }

  /** What is new, each once. Counters only of the mailboxes that `look` names; names and subscriptions only with `all`. */
  take(account: Account, look: Look): MailboxEvent[] {
    const states = look === 'all' ? undefined : this.#known(account, look);
    if (states !== undefined) return states.flatMap((state) => this.#countersOf(state));
    const now = account.mailboxes();
    const before = this.#names;
    this.#names = namesById(now);
    this.#replace(before, now);
    const counters = now.flatMap((state) => this.#countersOf(state));
    for (const id of this.#counters.keys()) if (!this.#names.has(id)) this.#counters.delete(id);
    const events = [...namesOf(before, this.#names, this.#ownNames), ...this.#subscriptionsOf(account), ...counters];
    this.#ownNames.clear();
    return events;
  }

  /** How those are now that are still there; undefined with one of which the client has not been told that it was made. */
  #known(account: Account, look: ReadonlySet<number>): readonly MailboxState[] | undefined {
    const states = [...look].flatMap((id) => account.mailboxById(id)?.state() ?? []);
    return states.every(({ id }) => this.#names.has(id)) ? states : undefined;
  }

  /** One that was made with the name of one that is gone is compared with what the client knows of that name. */
  #replace(before: ReadonlyMap<number, string>, now: readonly MailboxState[]): void {
    const gone = new Map([...before].flatMap(([id, name]) => (this.#names.has(id) ? [] : [[name, this.#counters.get(id)]])));
    for (const { id, name } of now) {
      const known = gone.get(name);
      if (known !== undefined && !this.#counters.has(id) && !isOwn(name, this.#ownNames)) this.#counters.set(id, { ...known, id });
    }
  }

  #countersOf(state: MailboxState): MailboxEvent[] {
    const known = this.#counters.get(state.id) ?? whenMade(state);
    this.#counters.set(state.id, state);
    const changed = changesBetween(known, state);
    return changed.size === 0 ? [] : [{ kind: 'counters', state, changed }];
  }

  #subscriptionsOf(account: Account): MailboxEvent[] {
    const before = this.#subscriptions;
    this.#subscriptions = new Set(account.subscriptions());
    const all = new Set([...before, ...this.#subscriptions]);
    const names = [...all].filter((name) => before.has(name) !== this.#subscriptions.has(name) && !isOwn(name, this.#ownNames) && !isBelowOwn(name, this.#ownNames)).sort();
    return names.map((name) => ({ kind: 'subscription', name, subscribed: this.#subscriptions.has(name) }));
  }
}

/** What is known to a client that put these messages in: others may have done something before or since. */
export function withOwnMessages(known: MailboxState, uids: readonly number[], state: MailboxState): MailboxState {
  const last = uids.at(-1);
  if (last === undefined) return known;
  const expected = { uidNext: last + 1, messages: known.messages + uids.length, highestModseq: known.highestModseq + 1 };
  const isAll = expected.uidNext === state.uidNext && expected.messages === state.messages && expected.highestModseq === state.highestModseq;
  return isAll ? state : { ...known, ...expected };
}

/** The same where it changed annotations, which the mailbox counts. */
export function withOwnAnnotations(known: MailboxState, modseq: number | undefined): MailboxState {
  return modseq === known.highestModseq + 1 ? { ...known, highestModseq: modseq } : known;
}

/** The same where it removed messages. */
export function withOwnRemoval(known: MailboxState, { count, modseq, before }: OwnRemoval, state: MailboxState): MailboxState {
  const isAll = before === 'known' && state.highestModseq === modseq;
  return isAll ? state : { ...known, messages: known.messages - count };
}

/** What of its counters became different. */
export function changesBetween(known: MailboxState, state: MailboxState): ReadonlySet<Changed> {
  const changed = new Set<Changed>();
  if (state.uidNext !== known.uidNext || state.messages !== known.messages) changed.add('messages');
  if (state.highestModseq !== known.highestModseq) changed.add('flags');
  if (state.unseen !== known.unseen) changed.add('unseen');
  if (state.uidValidity !== known.uidValidity) changed.add('uidvalidity');
  return changed;
}

/** What counts as known of a mailbox that was not there at the last look: all that is in it came since. */
export function whenMade(state: MailboxState): MailboxState {
  return state.messages === 0 ? state : emptied(state);
}

/** As a mailbox with messages was before they came: with which numbers it began is not known, only that they were lower. */
function emptied(state: MailboxState): MailboxState {
  return { ...state, messages: 0, unseen: 0, uidNext: 0, highestModseq: 0 };
}

function namesById(states: readonly MailboxState[]): ReadonlyMap<number, string> {
  return new Map(states.map(({ id, name }) => [id, name]));
}

/** By what stays the same when a mailbox is renamed. */
export type Names = ReadonlyMap<number | string, string>;

/** What became of names (RFC 5465 section 5.4), without what the client did itself. */
export function namesOf(before: Names, now: Names, own: ReadonlySet<string>): NameEvent[] {
  const renamed = [...now].flatMap(([id, name]) => {
    const oldName = before.get(id);
    return oldName === undefined || oldName === name ? [] : [{ kind: 'renamed' as const, name, oldName }];
  });
  const isBelowRenamed = ({ name, oldName }: { readonly name: string; readonly oldName: string }): boolean =>
    renamed.some((above) => oldName.startsWith(`${above.oldName}/`) && name === above.name + oldName.slice(above.oldName.length));
  const tops = renamed.filter((one) => !isBelowRenamed(one) && !isOwn(one.name, own));
  const placed = new Set(renamed.map(({ name }) => name)); // where one was deleted before, the rename tells of it
  const told = new Set(tops.map(({ name }) => name));
  const affected = new Set<string>();
  for (const [id, name] of [...before, ...now]) {
    if (before.has(id) === now.has(id) || isOwn(name, own)) continue;
    if (!placed.has(name)) affected.add(name);
    // The level above has other children now (RFC 5465 section 5.4).
    const above = name.slice(0, Math.max(0, name.lastIndexOf('/')));
    if (above !== '' && !told.has(above)) affected.add(above);
  }
  return [...[...affected].sort().map((name): NameEvent => ({ kind: 'name', name })), ...tops];
}

/** What the client named itself, and the levels above that came with it. */
function isOwn(name: string, own: ReadonlySet<string>): boolean {
  return own.has(name) || [...own].some((one) => one.startsWith(`${name}/`));
}

/** What is below goes along with what the client renamed or removed itself. */
export function isBelowOwn(name: string, own: ReadonlySet<string>): boolean {
  return [...own].some((one) => name.startsWith(`${one}/`));
}
