/**
 * What NOTIFY (RFC 5465) makes a guest hear of the owner's folders: names as they come into sight, are renamed and go out of it (section 5.4), which may be read no more and again
 * (sections 3.1 and 5.9), their messages, and their shared annotations (section 5.6).
 */
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { AccountModel, ModelMailbox } from './mailbox-model.ts';
import type { Response } from './responses.ts';
import { rightsOf } from './rights-model.ts';
import { countersOf, itemsBetween, only } from './watch-model.ts';
import type { Counters, Looking } from './watch-model.ts';

/** Of the owner's folders, by the names that the owner has for them; the level of the owner is the empty one. */
export interface SharedWishes {
  readonly status: 'asked' | 'not asked';
  readonly messages: (name: string) => boolean;
  readonly flags: (name: string) => boolean;
  readonly names: (name: string) => boolean;
  readonly annotations: (name: string) => boolean;
}

interface Seen {
  readonly name: string;
  readonly rights: string;
}

/** A LIST response that is owed. */
interface OwedName {
  readonly name: string;
  readonly oldName: string | undefined;
  readonly state: 'there' | 'gone' | 'closed' | 'open again';
}

const annotated = '/shared/comment';
const nothingYet = { MESSAGES: 0, UIDNEXT: 0, HIGHESTMODSEQ: 0, UNSEEN: 0 } as const;

export class SharedWatch {
  readonly #wishes: SharedWishes;
  readonly #owner: AccountModel;
  readonly #guest: AccountModel;
  /** What the guest may see, as of the last look. */
  #seen: ReadonlyMap<ModelMailbox, Seen>;
  /** What the client knows of those that it may read, by name. */
  #told = new Map<string, Counters>();
  /** Told to be closed. */
  readonly #closed = new Set<string>();
  #names: OwedName[] = [];
  readonly #annotations = new Map<ModelMailbox, number | undefined>();
  /** Of which something may have happened before the session looked at them, or while they were open: whether that is told nobody can know. */
  readonly #unsure = new Set<string>();
  readonly #unsureAnnotations = new Set<string>();
  /** Changed by others in a way that is not told; and then by the client itself, which a session that had not looked yet can't tell apart. */
  readonly #silent = new Set<string>();
  readonly #late = new Set<string>();
  /** Was open when the client did something last. */
  #open: ModelMailbox | undefined;

  constructor(wishes: SharedWishes, owner: AccountModel, guest: AccountModel) {
    this.#wishes = wishes;
    this.#owner = owner;
    this.#guest = guest;
    this.#seen = this.#visible();
    for (const [mailbox, { name, rights }] of this.#seen) {
      if (wishes.messages(name) && !rights.includes('r')) this.#closed.add(name);
      if (wishes.messages(name) && rights.includes('r')) this.#told.set(name, countersOf(mailbox));
      this.#annotations.set(mailbox, this.#annotationOf(mailbox));
    }
  }

  /** By which NOTIFY itself answers: of which nothing can be told. */
  get firstClosed(): readonly (readonly [string, readonly string[]])[] {
    return [...this.#closed].map((name) => [this.#asKnown(name), ['\\NoAccess', ...this.#subscribed(name)]] as const).toSorted();
  }

  firstStatus({ open }: Looking): Map<string, Partial<Counters>> {
    if (this.#wishes.status === 'not asked') return new Map();
    return new Map([...this.#seen].flatMap(([mailbox, { name }]): [string, Partial<Counters>][] => {
      const counters = this.#told.get(name);
      return mailbox === open || counters === undefined ? [] : [[this.#asKnown(name), only(counters, ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY', ...(this.#wishes.flags(name) ? ['HIGHESTMODSEQ'] as const : [])])]];
    }));
  }

  /** Something was done. @param whose `self`: by this client, which knows of it */
  look(whose: 'self' | 'others', { open, condstore }: Looking): void {
    const [before, now] = [this.#seen, this.#visible()];
    const names = this.#namesBetween(before, now);
    const reach = this.#watchAnew({ before, now, namesTold: names, whose });
    for (const [mailbox, { name, rights }] of now) this.#lookAtAnnotations(mailbox, { name, rights, before: before.get(mailbox), isTold: names.some((one) => one.name === name) });
    this.#seen = now;
    const owed = [...names.filter(({ name, oldName }) => this.#wishes.names(name) || (oldName !== undefined && this.#wishes.names(oldName))), ...reach];
    if (whose === 'others') this.#names.push(...owed);
    else this.#settle(open);
    const told = this.#owed({ open, condstore });
    if (whose === 'others') for (const [name, known] of this.#told) if (!told.has(name) && !isDeepStrictEqual(known, this.#now(name))) this.#silent.add(name);
  }

  #now(name: string): Counters | undefined {
    const mailbox = this.#owner.mailbox(name);
    return mailbox === undefined ? undefined : countersOf(mailbox);
  }

  /** What the client did itself: it knows. */
  #settle(open: ModelMailbox | undefined): void {
    this.#names = [];
    for (const name of this.#silent) this.#late.add(name);
    this.#silent.clear();
    for (const [mailbox, { name }] of this.#seen) {
      if (this.#told.has(name)) this.#told.set(name, countersOf(mailbox));
      this.#annotations.set(mailbox, this.#annotationOf(mailbox));
      if (mailbox !== open || mailbox !== this.#open) continue; // the command that opens it may bring what was to be told before
      this.#unsure.delete(name);
      this.#late.delete(name);
    }
    this.#open = open;
  }

  /** It is open no more, and something was still to be told. */
  leave(mailbox: ModelMailbox): void {
    if (mailbox.home === this.#owner) this.#unsure.add(mailbox.name);
  }

  owesAnything(looking: Looking): boolean {
    return this.#names.length > 0 || this.#owed(looking).size > 0 || this.#owedAnnotations.size > 0;
  }

  /** Takes a response that was not asked for; fails when nobody owes it. */
  hear(response: Response, looking: Looking & { readonly others: 'still' | 'told first' | 'at work' }): 'taken' | 'of something else' {
    const name = 'name' in response ? this.#asOwned(response.name) : undefined;
    if (name === undefined) return 'of something else';
    if (response.kind === 'list') this.#hearName(name, response);
    else if (response.kind === 'metadata') this.#hearAnnotation(name, response.entries);
    else if (response.kind === 'status') this.#hearStatus(name, { items: response.items, looking });
    else return 'of something else';
    return 'taken';
  }

  #hearName(name: string, { attributes, oldName }: Extract<Response, { kind: 'list' }>): void {
    const at = this.#names.findIndex((one) => one.name === name);
    const [owed] = at < 0 ? [] : this.#names.splice(at, 1);
    assert.ok(owed !== undefined, `LIST of ${name}, of which nothing is new`);
    const below = [...this.#seen.values()].some((one) => name === '' || one.name.startsWith(`${name}/`));
    const expected = { 'there': [], 'gone': ['\\NonExistent'], 'closed': ['\\NoAccess'], 'open again': [] }[owed.state];
    const children = owed.state === 'there' || owed.state === 'gone' ? [below ? '\\HasChildren' : '\\HasNoChildren'] : [];
    assert.deepEqual({ attributes: attributes.filter((one) => one !== ''), oldName }, { attributes: [...expected, ...children, ...this.#subscribed(name)], oldName: owed.oldName === undefined ? undefined : this.#asKnown(owed.oldName) }, name);
  }

  #hearAnnotation(name: string, entries: readonly string[]): void {
    const mailbox = this.#owner.mailbox(name);
    assert.deepEqual(entries, [annotated]);
    assert.ok(mailbox !== undefined && (this.#owedAnnotations.has(mailbox) || this.#unsureAnnotations.has(name)), `METADATA of ${name}, of which nothing is new`);
    this.#annotations.set(mailbox, this.#annotationOf(mailbox));
    this.#unsureAnnotations.delete(name);
  }

  #hearStatus(name: string, { items, looking }: { readonly items: ReadonlyMap<string, number>; readonly looking: Parameters<SharedWatch['hear']>[1] }): void {
    const mailbox = this.#owner.mailbox(name);
    const told = this.#told.get(name);
    assert.ok(mailbox !== undefined && told !== undefined && (mailbox !== looking.open || this.#unsure.has(name) || this.#late.has(name)), `STATUS of ${name}, which is not watched`);
    if (looking.others === 'at work') {
      this.#told.set(name, { ...told, ...Object.fromEntries(items) });
      return;
    }
    const now = countersOf(mailbox);
    if (this.#unsure.has(name)) {
      // As it was at one moment or the other since then.
      for (const [item, number] of items) assert.ok(item === 'UNSEEN' || item === 'MESSAGES' || number <= now[item as keyof Counters], `${item} of ${name}`);
      if ([...items].every(([item, number]) => now[item as keyof Counters] === number)) this.#unsure.delete(name);
    } else {
      const owed = this.#owed(looking).get(name);
      const perhaps = this.#late.delete(name) ? Object.fromEntries(Object.entries(now).filter(([item]) => items.has(item))) : {};
      assert.deepEqual(Object.fromEntries(items), owed === undefined && Object.keys(perhaps).length === 0 ? undefined : { ...perhaps, ...owed }, `STATUS of ${name}`);
    }
    this.#told.set(name, now);
  }

  /** Whether it may come with whatever command, though it is not owed. */
  mayHearLate(response: Response): boolean {
    const name = 'name' in response ? this.#asOwned(response.name) ?? '' : '';
    if (response.kind === 'metadata') return response.values === undefined && this.#unsureAnnotations.has(name);
    return response.kind === 'status' && (this.#unsure.has(name) || this.#late.has(name));
  }

  /** By name. */
  #owed({ open, condstore }: Looking): Map<string, Partial<Counters>> {
    return new Map([...this.#told].flatMap(([name, told]): [string, Partial<Counters>][] => {
      const mailbox = this.#owner.mailbox(name);
      if (mailbox === undefined || mailbox === open || this.#unsure.has(name)) return [];
      const items = itemsBetween(told, countersOf(mailbox), { flags: this.#wishes.flags(name), condstore });
      return items.length === 0 ? [] : [[name, only(countersOf(mailbox), items)]];
    }));
  }

  get #owedAnnotations(): Set<ModelMailbox> {
    return new Set([...this.#seen].flatMap(([mailbox, seen]) => {
      const isOwed = this.#mayAnnotate(seen) && !this.#unsureAnnotations.has(seen.name) && this.#annotations.get(mailbox) !== this.#annotationOf(mailbox);
      return isOwed ? [mailbox] : [];
    }));
  }

  #lookAtAnnotations(mailbox: ModelMailbox, { before, isTold, ...seen }: Seen & { readonly before: Seen | undefined; readonly isTold: boolean }): void {
    const may = this.#mayAnnotate(seen);
    const could = before !== undefined && this.#mayAnnotate(before);
    // That it may be heard of from now on nobody tells: the session may come to look at it later.
    if (may && !could && !(isTold && this.#wishes.names(seen.name))) this.#unsureAnnotations.add(seen.name);
    if (!may || !could) this.#annotations.set(mailbox, this.#annotationOf(mailbox));
  }

  /** RFC 5464 section 4.2 with RFC 4314's letters. */
  #mayAnnotate({ name, rights }: Seen): boolean {
    return this.#wishes.annotations(name) && rights.includes('l') && /[rswip]/.test(rights);
  }

  #annotationOf(mailbox: ModelMailbox): number | undefined {
    return this.#owner.annotations.at(mailbox).get(annotated)?.version;
  }

  #visible(): Map<ModelMailbox, Seen> {
    const all = [...this.#owner.mailboxes.values()].map((mailbox): [ModelMailbox, Seen] => [mailbox, { name: mailbox.name, rights: rightsOf(mailbox, this.#guest.address) }]);
    return new Map(all.filter(([, { rights }]) => rights.includes('l')));
  }

  /** RFC 5465 section 5.4: a right to see one that is given or taken makes or removes it. */
  #namesBetween(before: ReadonlyMap<ModelMailbox, Seen>, now: ReadonlyMap<ModelMailbox, Seen>): OwedName[] {
    const moved = [...now].flatMap(([mailbox, { name }]) => {
      const oldName = before.get(mailbox)?.name;
      return oldName === undefined || oldName === name ? [] : [{ name, oldName }];
    });
    const tops = moved.filter(({ name, oldName }) => !moved.some((above) => oldName.startsWith(`${above.oldName}/`) && name === above.name + oldName.slice(above.oldName.length)));
    const affected = [...before, ...now].filter(([mailbox]) => before.has(mailbox) !== now.has(mailbox)).map(([, { name }]) => name);
    const there = new Set([...now.values()].map(({ name }) => name));
    const withLevels = new Set(affected.flatMap((name) => [name, name.slice(0, Math.max(0, name.lastIndexOf('/')))]));
    return [
      ...[...withLevels].map((name): OwedName => ({ name, oldName: undefined, state: there.has(name) ? 'there' : 'gone' })),
      ...tops.map((one): OwedName => ({ ...one, state: 'there' })),
    ];
  }

  /** What is watched from now on, and which may be read no more or again, as far as their names do not tell it. */
  #watchAnew({ before, now, namesTold, whose }: { readonly whose: 'self' | 'others'; readonly before: ReadonlyMap<ModelMailbox, Seen>; readonly now: ReadonlyMap<ModelMailbox, Seen>; readonly namesTold: readonly OwedName[] }): OwedName[] {
    const readable = [...now].filter(([, { name, rights }]) => rights.includes('r') && this.#wishes.messages(name));
    // One that is renamed is compared with what was told of it by its old name: it may have another UIDVALIDITY by that.
    const nameBefore = (mailbox: ModelMailbox): string => before.get(mailbox)?.name ?? mailbox.name;
    const next = new Map(readable.map(([mailbox, { name }]): [string, Counters] => [name, this.#told.get(nameBefore(mailbox)) ?? this.#told.get(name) ?? this.#firstKnown(mailbox, before)]));
    for (const names of [this.#unsure, this.#late]) for (const [mailbox, { name }] of readable) if (names.has(nameBefore(mailbox))) names.add(name);
    for (const [mailbox, { name }] of readable) if (!this.#told.has(name) && before.get(mailbox)?.rights.includes('r') === true && !this.#wishes.names(name)) this.#unsure.add(name);
    const gone = [...this.#told.keys()].filter((name) => !next.has(name));
    const back = [...this.#closed].filter((name) => next.has(name));
    if (whose === 'others') for (const name of gone) this.#closed.add(name);
    for (const name of back) this.#closed.delete(name);
    this.#told = next;
    const told = new Set(namesTold.filter(({ name, oldName }) => this.#wishes.names(name) || (oldName !== undefined && this.#wishes.names(oldName))).map(({ name }) => name));
    const isUntold = (name: string): boolean => !told.has(name) && ([...now.values()].some((one) => one.name === name) || !this.#wishes.names(name));
    const owed = (state: OwedName['state']) => (name: string): OwedName => ({ name, oldName: undefined, state });
    return [...gone.filter(isUntold).map(owed('closed')), ...back.filter(isUntold).map(owed('open again'))];
  }

  /** All that is in one that could not be read is news. */
  #firstKnown(mailbox: ModelMailbox, before: ReadonlyMap<ModelMailbox, Seen>): Counters {
    const now = countersOf(mailbox);
    return before.get(mailbox)?.rights.includes('r') === true || now.MESSAGES === 0 ? now : { ...now, ...nothingYet };
  }

  #subscribed(name: string): readonly string[] {
    return this.#guest.subscriptions.has(this.#asKnown(name)) ? ['\\Subscribed'] : [];
  }

  #asKnown(name: string): string {
    return `Other Users/${this.#owner.address}${name === '' ? '' : `/${name}`}`;
  }

  #asOwned(name: string): string | undefined {
    const top = this.#asKnown('');
    return name === top ? '' : name.startsWith(`${top}/`) ? name.slice(top.length + 1) : undefined;
  }
}
