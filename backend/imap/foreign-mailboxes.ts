/**
 * Folders of others of which a session hears by NOTIFY (RFC 5465), as far as this node keeps them; of a guest's, those of the one owner. Which they are is looked up when NOTIFY
 * names them, when one of their owners changes something, and now and then: rights and subscriptions change. Names, counters and annotations are compared.
 */
import type { Account, MailboxState } from '../storage/storage.ts';
import type { OwnAnnotations } from './annotation-news.ts';
import { FolderReach } from './folder-reach.ts';
import { ForeignAnnotations } from './foreign-annotations.ts';
import type { AnnotatedName } from './foreign-annotations.ts';
import { listedNames, listedReach } from './foreign-names.ts';
import { changesBetween, isBelowOwn, whenMade, withOwnAnnotations } from './mailbox-events.ts';
import type { Changed } from './mailbox-events.ts';
import { wireName } from './mailbox-lines.ts';
import type { ListedName, StateAt } from './mailbox-lines.ts';
import { mayAnnotate } from './metadata.ts';
import { namedFilters, ownersNamed, placesNamed } from './named-places.ts';
import type { NamedFilter } from './named-places.ts';
import type { NotifiedName } from './notified-names.ts';
import type { Registration } from './registration.ts';
import { departedAccounts, lookAtFolders, tellingOf } from './seen-folders.ts';
import type { Seen, SeenFolders, Wants } from './seen-folders.ts';
import type { Session } from './session.ts';

interface Watched {
  readonly account: Account;
  readonly state: MailboxState;
}

export interface ForeignNews {
  /** By the name that the user knows. */
  readonly state: MailboxState;
  readonly account: Account;
  readonly changed: ReadonlySet<Changed>;
}

/** What is new beside counters. */
export interface FolderNews {
  readonly listed: readonly ListedName[];
  readonly annotated: readonly AnnotatedName[];
}


/** Owners whose accounts move between nodes. */
interface Moves {
  /** They lived on other nodes: what is new of theirs the caller knows. */
  readonly arrived: ReadonlySet<string>;
  /** Of theirs another node told, of which it was not yet heard that it does not any more. */
  readonly elsewhere: ReadonlySet<string>;
}

const noMoves: Moves = { arrived: new Set(), elsewhere: new Set() };

export class ForeignMailboxes {
  #watched = new Map<string, Watched>();
  /** All that could be seen at the last look of the owners who are meant, or were at some, wanted or not; undefined before the first one. */
  #seen: Map<string, Seen> | undefined;
  readonly #annotations: ForeignAnnotations;
  readonly #heard = new Set<string>();
  readonly #reach = new FolderReach();
  /** Whose folders are meant, or were at some look, by id. */
  readonly #owners = new Set<string>();
  readonly #ownNames = new Set<string>();
  /** Whose folders the client meant at the last look: of others it is no news which they are. */
  #wasNamed: (owner: string) => boolean = () => false;
  #mustLookUp = false;

  private constructor(visitor: string) {
    this.#annotations = new ForeignAnnotations(visitor);
  }

  /** From now on. @throws as `lookUp` */
  static async of(session: Session, registration: Registration): Promise<ForeignMailboxes> {
    const { account, guest, visitor } = session;
    const foreign = new ForeignMailboxes(visitor);
    if (guest === undefined) {
      for (const { account: owner } of (await placesNamed(session, namedOf(session, registration))).here) foreign.#owners.add(owner.id);
    } else foreign.#owners.add(account.id);
    await foreign.lookUp(session, registration);
    return foreign;
  }

  /** All whose messages are watched, for the first STATUS. */
  all(): readonly StateAt[] {
    return Array.from(this.#watched, ([name, { account, state }]) => ({ account, state: { ...state, name } }));
  }

  /** Those of which more is meant than the user has the right to hear (RFC 5465 section 3.1). Once he may hear it that is told, too. */
  closed(session: Session, registration: Registration): readonly ListedName[] {
    const { wants, subscriptions } = wishesFor(session, registration);
    return listedReach({ gone: this.#reach.begin(this.#seen?.values() ?? [], wants), back: [] }, subscriptions);
  }

  /** As one node tells another (of that owner's, or of all), of what is meant at all: how it was at the last look, or is for all that the guest did itself. */
  notified(session: Session, registration: Registration, owner?: string): readonly NotifiedName[] {
    const { wants } = wishesFor(session, registration);
    return [...(this.#seen?.values() ?? [])].flatMap((folder) => {
      if (owner !== undefined && folder.account.address !== owner) return [];
      const { name, state: { mailboxId } } = folder;
      const [named, telling] = [wants('MailboxName', name), tellingOf(folder, wants)];
      if (!named && telling === 'not meant') return [];
      const messages = telling === 'told' && !wants('MessageNew', name) ? 'not meant' : telling;
      const annotations = mayAnnotate(folder) && wants('MailboxMetadataChange', name) ? this.#annotations.knownOf(folder) : undefined;
      return [{ name: wireName(session, name), mailboxId, named, messages, annotations }];
    });
  }

  /** Rights and subscriptions may have changed. */
  lookAgain(): void {
    this.#mustLookUp = true;
  }

  get mustLookUp(): boolean {
    return this.#mustLookUp;
  }

  /** A hint; answers whether it may concern a folder that is meant. */
  hear(accountId: string, mailbox: number | undefined): boolean {
    if (!this.#owners.has(accountId)) return false;
    if (mailbox === undefined) {
      this.#mustLookUp = true;
      return true;
    }
    let matters = false;
    for (const [name, { account, state }] of this.#watched) {
      if (account.id !== accountId || state.id !== mailbox) continue;
      this.#heard.add(name);
      matters = true;
    }
    return matters;
  }

  /** As `KnownMailboxes.noteOwnName`. */
  noteOwnName(name: string): void {
    this.#ownNames.add(name);
  }

  noteOwnAnnotations(own: OwnAnnotations, account: Account): void {
    this.#annotations.noteOwn(own, account);
    for (const [name, known] of this.#watched) if (known.account.id === account.id && known.state.id === own.place) this.#watched.set(name, { ...known, state: withOwnAnnotations(known.state, own.modseq) });
  }

  /** Finds those that the registration means and the user may see, and what is new of them. @throws as `sharing` does, Failure('limit') for more names than are looked at */
  async lookUp(session: Session, registration: Registration, { arrived, elsewhere } = noMoves): Promise<FolderNews> {
    this.#mustLookUp = false; // what is heard from here on may come too late for this look
    const known = new Set(Array.from(this.#seen?.values() ?? [], ({ account }) => account.address));
    const isNamed = ownersNamed(session, namedOf(session, registration));
    const now = await this.#look(session, (owner) => !elsewhere.has(owner) && (known.has(owner) || isNamed(owner)));
    const before = this.#seen === undefined ? now : new Map([...this.#seen, ...[...now].filter(([, { account: { address } }]) => !known.has(address) && (arrived.has(address) || !this.#wasNamed(address)))]);
    this.#wasNamed = isNamed;
    const { wants, wantsAny, subscriptions } = wishesFor(session, registration);
    for (const { account, name } of now.values()) if (wantsAny(name)) this.#owners.add(account.id);
    this.#reach.begin([...now.values()].filter(({ account: { address } }) => arrived.has(address)), wants);
    const names = listedNames({ before: namesById(before), now: namesById(now), own: this.#ownNames }, { wants: (name) => wants('MailboxName', name), subscriptions });
    const annotated = this.#annotations.take([...now.values()].filter((folder) => mayAnnotate(folder) && wants('MailboxMetadataChange', folder.name)));
    this.#watch({ before, now }, wants);
    const listed = [...names, ...this.#compareReach({ now, names, subscriptions }, wants)];
    this.#seen = now;
    this.#ownNames.clear();
    return { listed, annotated };
  }

  /** Whose accounts have gone to other nodes since the last look, and what was told of their folders: they are to be watched there from now on. */
  depart(session: Session, registration: Registration): ReadonlyMap<string, readonly NotifiedName[]> {
    const departed = new Map<string, readonly NotifiedName[]>();
    if (!this.#mustLookUp || session.guest !== undefined) return departed;
    for (const account of departedAccounts(session, this.#seen ?? new Map())) {
      departed.set(account.address, this.notified(session, registration, account.address));
      this.#annotations.forget(account);
      for (const [key, folder] of this.#seen ?? []) if (folder.account.id === account.id) this.#forget(key, folder.name);
    }
    return departed;
  }

  #forget(key: string, name: string): void {
    this.#seen?.delete(key);
    for (const names of [this.#watched, this.#heard]) names.delete(name);
    this.#reach.forget(name);
  }

  /** @throws as `lookUp` */
  async #look(session: Session, isMeant: (owner: string) => boolean): Promise<Map<string, Seen>> {
    try {
      const { folders, then } = await lookAtFolders(session, this.#seen ?? new Map(), isMeant);
      if (then === 'again') this.#mustLookUp = true;
      return folders;
    } catch (error) {
      this.#mustLookUp = true;
      throw error;
    }
  }

  /** Whose messages are watched from now on. What lies in one that could not be read at the last look, as others made it since, or gave the right, is news. */
  #watch({ before, now }: { readonly before: SeenFolders; readonly now: SeenFolders }, wants: Wants): void {
    const watched = new Map<string, Watched>();
    const byKey = new Map(Array.from(this.#watched.values(), (one) => [one.state.mailboxId, one]));
    for (const [key, { name, account, state, rights }] of now) {
      if (!rights.includes('r') || !wants('MessageNew', name)) continue;
      const isNew = before.get(key)?.rights.includes('r') !== true;
      // One that took the place of another is compared with what the client knows of that name.
      const known = byKey.get(key) ?? this.#watched.get(name);
      const { id, mailboxId } = state;
      watched.set(name, { account, state: known !== undefined ? { ...known.state, id, mailboxId } : isNew ? whenMade(state) : state });
      if (known !== undefined || isNew) this.#heard.add(name);
    }
    this.#watched = watched;
  }

  /** Which folders are out of reach, and which again (RFC 5465 section 5.9), as far as their names do not tell it. */
  #compareReach({ now, names, subscriptions }: { readonly now: SeenFolders; readonly names: readonly ListedName[]; readonly subscriptions: ReadonlySet<string> }, wants: Wants): ListedName[] {
    const { gone, back } = this.#reach.compare(now.values(), wants, (name) => this.#ownNames.has(name) || isBelowOwn(name, this.#ownNames));
    const told = new Set(names.map(({ name }) => name));
    const listedNow = new Set(Array.from(now.values(), ({ name }) => name));
    const isUntold = (name: string): boolean => !told.has(name) && (listedNow.has(name) || !wants('MailboxName', name));
    return listedReach({ gone: gone.filter(isUntold), back: back.filter(isUntold) }, subscriptions);
  }

  /** What the client does itself is no news to it (RFC 5465 section 5). @param after what it knows then, of what it knew and how all is now */
  noteOwn({ account, state }: Watched, after: (known: MailboxState, now: MailboxState) => MailboxState): void {
    for (const [name, known] of this.#watched) if (known.account.id === account.id && known.state.id === state.id) this.#watched.set(name, { account, state: after(known.state, state) });
  }

  /** As `KnownMailboxes.noteUntold`. */
  noteUntold(account: Account, id: number, messages: number): void {
    for (const [name, known] of this.#watched) if (known.account.id === account.id && known.state.id === id) this.#watched.set(name, { ...known, state: { ...known.state, messages } });
    this.hear(account.id, id);
  }

  /** What has changed in those of which was heard. */
  take(): ForeignNews[] {
    const news: ForeignNews[] = [];
    for (const name of this.#heard) {
      const known = this.#watched.get(name);
      const state = known?.account.mailboxById(known.state.id)?.state();
      if (known === undefined || state === undefined) continue;
      this.#watched.set(name, { account: known.account, state });
      const changed = changesBetween(known.state, state);
      if (changed.size > 0) news.push({ account: known.account, state: { ...state, name }, changed });
    }
    this.#heard.clear();
    return news;
  }
}

function namedOf({ account }: Session, registration: Registration): NamedFilter[] {
  return registration.groupsForOthers.flatMap(({ filter }) => namedFilters(filter, account.subscriptions()));
}

interface Wishes {
  readonly wants: Wants;
  readonly wantsAny: (name: string) => boolean;
  readonly subscriptions: ReadonlySet<string>;
}

/** The subscriptions of a guest are where he comes from. */
function wishesFor({ guest, account }: Session, registration: Registration): Wishes {
  const subscriptions = new Set(guest === undefined ? account.subscriptions() : []);
  const mailbox = (name: string) => ({ name, subscribed: subscriptions.has(name), whose: 'others' } as const);
  return { wants: (event, name) => registration.wants(event, mailbox(name)), wantsAny: (name) => registration.wantsAnyOf(mailbox(name)), subscriptions };
}

function namesById(folders: SeenFolders): ReadonlyMap<string, string> {
  return new Map(Array.from(folders, ([key, { name }]) => [key, name]));
}
