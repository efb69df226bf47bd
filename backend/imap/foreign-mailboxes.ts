/**
 * Folders of others of which a session hears by NOTIFY (RFC 5465), as far as this node keeps them; of a guest's, those of the one owner. Which they are is looked up when NOTIFY
 * names them, when one of their owners changes something, and now and then: rights and subscriptions change. Names, counters and annotations are compared.
 */
import type { NotifyEvent } from '../../shared/imap/notify-arguments.ts';
import type { Rights } from '../../shared/imap/rights.ts';
import { isOpen } from '../sharing/sharing.ts';
import type { Account, MailboxState, Storage } from '../storage/storage.ts';
import type { OwnAnnotations } from './annotation-news.ts';
import { ForeignAnnotations } from './foreign-annotations.ts';
import type { AnnotatedName } from './foreign-annotations.ts';
import { listedNames, listedReach } from './foreign-names.ts';
import { changesBetween, isBelowOwn, whenMade } from './mailbox-events.ts';
import type { Changed } from './mailbox-events.ts';
import { wireName } from './mailbox-lines.ts';
import type { ListedName, StateAt } from './mailbox-lines.ts';
import { mayAnnotate } from './metadata.ts';
import { namedFilters, ownersNamed, placesNamed } from './named-places.ts';
import type { NamedFilter } from './named-places.ts';
import type { NotifiedName } from './notified-names.ts';
import { nameOfShared } from './place.ts';
import type { Registration } from './registration.ts';
import type { Session } from './session.ts';

interface Watched {
  readonly account: Account;
  readonly state: MailboxState;
}

/** One that the user may see, by the name that he knows. */
interface Seen extends Watched {
  readonly name: string;
  readonly rights: Rights;
}

export interface ForeignNews {
  /** By the name that the user knows. */
  readonly state: MailboxState;
  readonly account: Account;
  readonly changed: ReadonlySet<Changed>;
}

/** Names that are remembered as told to be out of reach. */
const mostLost = 1000;

/** What is new beside counters. */
export interface FolderNews {
  readonly listed: readonly ListedName[];
  readonly annotated: readonly AnnotatedName[];
}

type Wants = (event: NotifyEvent, name: string) => boolean;
/** By account and id. */
type SeenFolders = ReadonlyMap<string, Seen>;

interface Looked {
  readonly before: SeenFolders;
  readonly now: SeenFolders;
  /** What is told of names. */
  readonly names: readonly ListedName[];
  readonly subscriptions: ReadonlySet<string>;
}

export class ForeignMailboxes {
  #watched = new Map<string, Watched>();
  /** All that could be seen at the last look of the owners who are meant, or were at some, wanted or not; undefined before the first one. */
  #seen: SeenFolders | undefined;
  readonly #annotations: ForeignAnnotations;
  readonly #heard = new Set<string>();
  /** Those that could not be read at a look and are not back. */
  readonly #lost = new Set<string>();
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

  /** Of those of which messages are meant: seen, but not to be read (RFC 5465 section 3.1). Once they may be read that is told, too. */
  closed(registration: Registration, subscriptions: ReadonlySet<string>): readonly ListedName[] {
    const names = [...(this.#seen?.values() ?? [])].flatMap(({ name, rights }) => {
      const isMeant = !rights.includes('r') && registration.wants('MessageNew', { name, subscribed: subscriptions.has(name), whose: 'others' });
      return isMeant ? [name] : [];
    });
    this.#noteLost(names);
    return listedReach({ gone: names, back: [] }, subscriptions);
  }

  /** As one node tells another (of that owner's, or of all), of what is meant at all: how it was at the last look, or is for all that the guest did itself. */
  notified(session: Session, registration: Registration, owner?: string): readonly NotifiedName[] {
    return [...(this.#seen?.values() ?? [])].flatMap((folder) => {
      if (owner !== undefined && folder.account.address !== owner) return [];
      const { name, rights, state: { mailboxId } } = folder;
      const mailbox = { name, subscribed: false, whose: 'others' } as const;
      if (!registration.wantsAnyOf(mailbox)) return [];
      const messages = !registration.wants('MessageNew', mailbox) ? 'not meant' : rights.includes('r') ? 'told' : 'closed';
      const annotations = mayAnnotate(folder) && registration.wants('MailboxMetadataChange', mailbox) ? this.#annotations.knownOf(folder) : undefined;
      return [{ name: wireName(session, name), mailboxId, named: registration.wants('MailboxName', mailbox), messages, annotations }];
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
  }

  /** Finds those that the registration means and the user may see, and what is new of them. @param arrived owners who lived on other nodes: what is new of theirs the caller knows. @throws as `sharing` does, Failure('limit') for more names than are looked at */
  async lookUp(session: Session, registration: Registration, arrived: ReadonlySet<string> = new Set()): Promise<FolderNews> {
    this.#mustLookUp = false; // what is heard from here on may come too late for this look
    const known = new Set(Array.from(this.#seen?.values() ?? [], ({ account }) => account.address));
    const isNamed = ownersNamed(session, namedOf(session, registration));
    const now = await this.#look(session, (owner) => known.has(owner) || isNamed(owner));
    const before = this.#seen === undefined ? now : new Map([...this.#seen, ...[...now].filter(([, { account: { address } }]) => !known.has(address) && (arrived.has(address) || !this.#wasNamed(address)))]);
    this.#wasNamed = isNamed;
    const subscriptions = new Set(session.guest === undefined ? session.account.subscriptions() : []); // those of a guest are where he comes from
    const wants: Wants = (event, name) => registration.wants(event, { name, subscribed: subscriptions.has(name), whose: 'others' });
    for (const { account, name } of now.values()) if (registration.wantsAnyOf({ name, subscribed: subscriptions.has(name), whose: 'others' })) this.#owners.add(account.id);
    const names = listedNames({ before: namesById(before), now: namesById(now), own: this.#ownNames }, { wants: (name) => wants('MailboxName', name), subscriptions });
    const annotated = this.#annotations.take([...now.values()].filter((folder) => mayAnnotate(folder) && wants('MailboxMetadataChange', folder.name)));
    const listed = [...names, ...this.#watch({ before, now, names, subscriptions }, wants)];
    this.#seen = now;
    this.#ownNames.clear();
    return { listed, annotated };
  }

  /** Of accounts that nobody may be in for the time being, or that are elsewhere now, the names stay: nobody has changed them. @throws as `lookUp` */
  async #look(session: Session, isMeant: (owner: string) => boolean): Promise<SeenFolders> {
    const { account, guest, visitor, options: { sharing, storage } } = session;
    const seen = new Map<string, Seen>();
    try {
      for (const folder of guest === undefined ? await sharing.allSharedHere(visitor, isMeant) : await sharing.sharedBy(account, visitor)) {
        const name = nameOfShared(session, folder);
        if (name !== undefined) seen.set(keyOf(folder), { ...folder, name });
      }
    } catch (error) {
      this.#mustLookUp = true;
      throw error;
    }
    for (const [key, folder] of this.#seen ?? []) if (!seen.has(key) && isSetAside(folder.account, storage)) seen.set(key, { ...folder, rights: '' });
    return seen;
  }

  /**
   * Whose messages are watched from now on. What lies in one that could not be read at the last look, as others made it since, or gave the right, is news.
   * Answers which may be read no more and which again (RFC 5465 section 5.9), as far as their names do not tell it.
   */
  #watch({ before, now, names, subscriptions }: Looked, wants: Wants): ListedName[] {
    const watched = new Map<string, Watched>();
    const readable = new Set<string>();
    for (const [key, { name, account, state, rights }] of now) {
      if (!rights.includes('r')) continue;
      readable.add(name);
      if (!wants('MessageNew', name)) continue;
      const isNew = before.get(key)?.rights.includes('r') !== true;
      const known = this.#watched.get(name);
      // One that took the place of another is compared with what the client knows of that name.
      watched.set(name, { account, state: known !== undefined ? { ...known.state, id: state.id } : isNew ? whenMade(state) : state });
      if (known !== undefined || isNew) this.#heard.add(name);
    }
    const isOwn = (name: string): boolean => this.#ownNames.has(name) || isBelowOwn(name, this.#ownNames);
    const gone = [...this.#watched.keys()].filter((name) => !readable.has(name) && !isOwn(name));
    this.#watched = watched;
    const back = this.#noteLost(gone).filter((name) => !isOwn(name));
    const told = new Set(names.map(({ name }) => name));
    const listedNow = new Set(Array.from(now.values(), ({ name }) => name));
    const isUntold = (name: string): boolean => !told.has(name) && (listedNow.has(name) || !wants('MailboxName', name));
    return listedReach({ gone: gone.filter(isUntold), back: back.filter(isUntold) }, subscriptions);
  }

  /** Answers which of those that were lost are back. */
  #noteLost(gone: readonly string[]): string[] {
    const back = [...this.#lost].filter((name) => this.#watched.has(name));
    for (const name of back) this.#lost.delete(name);
    for (const name of gone) this.#lost.add(name);
    for (const name of [...this.#lost].slice(0, Math.max(0, this.#lost.size - mostLost))) this.#lost.delete(name);
    return back;
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

/** Whether nobody may be in it for the time being, or it is on another node: its folders are still there. Of one that was deleted nothing is. */
function isSetAside(account: Account, storage: Pick<Storage, 'find'>): boolean {
  const standing = account.standing();
  if (standing !== 'gone') return !isOpen(account);
  const record = storage.find(account.address);
  return record.at === 'moved' || record.at === 'arriving' || (record.at === 'withdrawn' && record.why === 'vanished');
}

function keyOf({ account, state }: Watched): string {
  return `${account.id} ${String(state.id)}`;
}

function namesById(folders: SeenFolders): ReadonlyMap<string, string> {
  return new Map(Array.from(folders, ([key, { name }]) => [key, name]));
}
