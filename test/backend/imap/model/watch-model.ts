/** What NOTIFY (RFC 5465) makes a session hear of mailboxes that it has not open: exactly one response for each change by others, and none for its own. */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { AccountModel, ModelMailbox } from './mailbox-model.ts';
import type { Response } from './responses.ts';

/** What a client asks for. */
export interface Wishes {
  /** Behind NOTIFY SET. */
  readonly text: string;
  readonly status: 'asked' | 'not asked';
  /** When it hears of the open mailbox. */
  readonly selected: 'at once' | 'delayed';
  /** What it hears of a mailbox that is not open. */
  readonly messages: (name: string) => boolean;
  readonly flags: (name: string) => boolean;
  /** Whether it hears of mailboxes made, removed and renamed. */
  readonly names: (name: string) => boolean;
  /** Whether it hears of own mailboxes being subscribed, or not any more. */
  readonly subscriptions: 'told' | 'not told';
}

/** Of the open mailbox alone. */
export const onlyTheOpenOne: Wishes = { text: '(selected (MessageNew MessageExpunge FlagChange))', status: 'not asked', selected: 'at once', messages: () => false, flags: () => false, names: () => false, subscriptions: 'not told' };

export interface Counters {
  readonly MESSAGES: number;
  readonly UIDNEXT: number;
  readonly UIDVALIDITY: number;
  readonly HIGHESTMODSEQ: number;
  readonly UNSEEN: number;
}
type Item = keyof Counters;

/** A LIST response that is owed. */
interface OwedName {
  readonly name: string;
  readonly oldName: string | undefined;
  readonly exists: boolean;
}

/** Who looks, and how. */
export interface Looking {
  readonly open: ModelMailbox | undefined;
  readonly condstore: 'on' | 'off';
}

export class Watch {
  readonly wishes: Wishes;
  /** Of the user who asks. */
  readonly account: AccountModel;
  #told = new Map<ModelMailbox, Counters>();
  #names: OwedName[] = [];
  #subscriptions: ReadonlySet<string>;
  /** Changed by others in a way that is not told. */
  readonly #silent = new Set<ModelMailbox>();
  /** Of which something happened while they were open, or had a name that is not watched: whether a STATUS tells of it later depends on when the session looked. */
  readonly #unsure = new Set<ModelMailbox>();

  constructor(wishes: Wishes, account: AccountModel) {
    this.wishes = wishes;
    this.account = account;
    this.#subscriptions = new Set(account.subscriptions);
    this.settle();
  }

  /** The client did something itself: of what others did silently before a session that had not looked yet can't tell it apart. */
  settleOwn(): void {
    for (const mailbox of this.#silent) this.#unsure.add(mailbox);
    this.settle();
    this.#silent.clear();
  }

  /** The client knows how all are now: it was told, or did it itself. */
  settle(): void {
    for (const [mailbox, told] of this.#told) if (!isDeepStrictEqual(told, countersOf(mailbox))) this.#silent.add(mailbox);
    for (const [mailbox, told] of this.#told) if (!this.wishes.messages(mailbox.name) && !isDeepStrictEqual(told, countersOf(mailbox))) this.#unsure.add(mailbox);
    this.#told = new Map([...this.account.mailboxes.values()].map((mailbox) => [mailbox, countersOf(mailbox)]));
    this.#names = [];
  }

  /** Mailboxes were made (with a level above), or removed. */
  noteNames(names: readonly string[]): void {
    const affected = new Set(names.flatMap((name) => (name.includes('/') ? [name.slice(0, name.lastIndexOf('/')), name] : [name])));
    for (const name of affected) if (this.wishes.names(name)) this.#oweName(name);
  }

  /** Each name once, whatever happened to it. */
  #oweName(name: string): void {
    this.#names = [...this.#names.filter((one) => one.name !== name || one.oldName !== undefined), { name, oldName: undefined, exists: this.account.mailbox(name) !== undefined }];
  }

  /** What became of subscriptions (RFC 5465 section 5.5); also by renaming, as they go along: the response that tells of that tells it, too. */
  lookAtSubscriptions(whose: 'self' | 'others'): void {
    const [before, now] = [this.#subscriptions, new Set(this.account.subscriptions)];
    this.#subscriptions = now;
    if (whose === 'self' || this.wishes.subscriptions === 'not told') return;
    const renamed = new Set(this.#names.flatMap(({ name, oldName }) => (oldName === undefined ? [] : [name, oldName])));
    for (const name of new Set([...before, ...now])) if (before.has(name) !== now.has(name) && !name.startsWith('Other Users/') && !renamed.has(name)) this.#oweName(name);
  }

  noteRename(oldName: string, name: string): void {
    if (this.wishes.names(name) || this.wishes.names(oldName)) this.#names.push({ name, oldName, exists: true });
  }

  /** The STATUS responses by which NOTIFY SET STATUS begins. */
  firstStatus({ open }: Looking): Map<string, Partial<Counters>> {
    if (this.wishes.status === 'not asked') return new Map();
    const watched = [...this.account.mailboxes.values()].filter((mailbox) => mailbox !== open && this.wishes.messages(mailbox.name));
    return new Map(watched.map((mailbox) => [mailbox.name, only(countersOf(mailbox), ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY', ...(this.wishes.flags(mailbox.name) ? ['HIGHESTMODSEQ'] as const : [])])]));
  }

  /** What is told of mailboxes to the client itself that gave them another UIDVALIDITY by renaming them: that they have one it can't know (RFC 5465 section 5.1). */
  ofRenewed(mailboxes: readonly ModelMailbox[], { open }: Looking): Map<string, Partial<Counters>> {
    const watched = mailboxes.filter((mailbox) => mailbox !== open && this.wishes.messages(mailbox.name));
    return new Map(watched.map((mailbox) => [mailbox.name, only(countersOf(mailbox), ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY'])]));
  }

  /** By name. */
  owed(looking: Looking): Map<string, Partial<Counters>> {
    return new Map([...this.#told].flatMap(([mailbox, told]): [string, Partial<Counters>][] => {
      const items = this.#itemsOf(mailbox, told, looking);
      return items.length === 0 ? [] : [[mailbox.name, only(countersOf(mailbox), items)]];
    }));
  }

  owesAnything(looking: Looking): boolean {
    return this.#names.length > 0 || this.owed(looking).size > 0;
  }

  #itemsOf(mailbox: ModelMailbox, told: Counters, { open, condstore }: Looking): Item[] {
    if (mailbox === open || mailbox.state === 'deleted' || !this.wishes.messages(mailbox.name)) return [];
    return itemsBetween(told, countersOf(mailbox), { flags: this.wishes.flags(mailbox.name), condstore });
  }

  /** A mailbox is open no more, of which something was still to be told. */
  leave(mailbox: ModelMailbox): void {
    this.#unsure.add(mailbox);
  }

  /** Whether it may come with whatever command, though it is not owed. */
  mayHearLate(response: Response): boolean {
    const mailbox = response.kind === 'status' ? this.account.mailbox(response.name) : undefined;
    return mailbox !== undefined && this.wishes.messages(mailbox.name) && this.#unsure.has(mailbox);
  }

  /** What may come beside what is owed. */
  #perhaps(mailbox: ModelMailbox | undefined, items: ReadonlyMap<string, number>): Partial<Counters> {
    if (mailbox === undefined || !this.#unsure.has(mailbox)) return {};
    return Object.fromEntries(Object.entries(countersOf(mailbox)).filter(([item]) => items.has(item)));
  }

  /** Takes a response that was not asked for; fails when nobody owes it. */
  hear(response: Response, looking: Looking & { readonly others: 'still' | 'told first' | 'at work' }): 'taken' | 'of something else' {
    if (response.kind === 'list') {
      const at = this.#names.findIndex(({ name, oldName }) => name === response.name && oldName === response.oldName);
      const [owed] = at < 0 ? [] : this.#names.splice(at, 1);
      assert.ok(owed !== undefined, `LIST of ${response.name}, of which nothing is new`);
      assert.deepEqual({ oldName: response.oldName, exists: !response.attributes.includes('\\NonExistent'), isSubscribed: response.attributes.includes('\\Subscribed') }, { oldName: owed.oldName, exists: owed.exists, isSubscribed: this.account.subscriptions.has(owed.name) }, response.name);
      return 'taken';
    }
    if (response.kind !== 'status') return 'of something else';
    const mailbox = this.account.mailbox(response.name);
    if (looking.others === 'at work' && mailbox !== undefined && this.wishes.messages(response.name)) {
      // As it was at one moment or the other: the last word is that which counts.
      this.#told.set(mailbox, { ...(this.#told.get(mailbox) ?? countersOf(mailbox)), ...Object.fromEntries(response.items) });
      return 'taken';
    }
    const owed = this.owed(looking).get(response.name);
    assert.ok(owed !== undefined || (mailbox !== undefined && this.#unsure.has(mailbox)), `STATUS of ${response.name}, of which nothing is new`);
    assert.deepEqual(Object.fromEntries(response.items), { ...this.#perhaps(mailbox, response.items), ...owed }, response.name);
    if (mailbox === undefined) return 'taken';
    this.#told.set(mailbox, countersOf(mailbox));
    this.#unsure.delete(mailbox);
    return 'taken';
  }
}

/** What a STATUS response names (RFC 5465 sections 5.1 to 5.3). */
export function itemsBetween(told: Counters, now: Counters, { flags, condstore }: { readonly flags: boolean; readonly condstore: Looking['condstore'] }): Item[] {
  const isNew = (item: Item): boolean => now[item] !== told[item];
  const items = new Set<Item>();
  if (isNew('MESSAGES') || isNew('UIDNEXT') || isNew('UIDVALIDITY')) items.add('MESSAGES').add('UIDNEXT');
  if (isNew('UIDVALIDITY')) items.add('UIDVALIDITY');
  if (condstore === 'on' && (isNew('MESSAGES') || isNew('UIDNEXT'))) items.add('HIGHESTMODSEQ');
  if (!flags) return [...items];
  if (isNew('UNSEEN')) items.add('UIDVALIDITY').add('UNSEEN');
  if (condstore === 'on' && isNew('HIGHESTMODSEQ')) items.add('UIDVALIDITY').add('HIGHESTMODSEQ');
  return [...items];
}

export function countersOf({ messages, uidNext, uidValidity, highestModseq }: ModelMailbox): Counters {
  return { MESSAGES: messages.length, UIDNEXT: uidNext, UIDVALIDITY: uidValidity, HIGHESTMODSEQ: highestModseq, UNSEEN: messages.filter(({ flags }) => !flags.has('\\Seen')).length };
}

export function only(counters: Counters, items: readonly Item[]): Partial<Counters> {
  return Object.fromEntries(items.map((item) => [item, counters[item]]));
}
