/**
 * Folders of others that a session watches by NOTIFY (RFC 5465), as far as this node keeps them; of a guest's, those of the one owner. Which they are is looked up when NOTIFY
 * names them, when one of their owners changes something, and now and then: rights and subscriptions change. Counters are compared.
 */
import type { Account, MailboxState } from '../storage/storage.ts';
import { changesBetween, whenMade } from './mailbox-events.ts';
import type { Changed } from './mailbox-events.ts';
import { nameOfShared } from './place.ts';
import type { Registration } from './registration.ts';
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

/** Names that are remembered as told to be out of reach. */
const mostLost = 1000;

/** By the names that the user knows. */
export interface ReachNews {
  /** May be watched no more. */
  readonly gone: readonly string[];
  /** May be watched again, after the user was told that they may not. */
  readonly back: readonly string[];
}

export class ForeignMailboxes {
  #watched = new Map<string, Watched>();
  /** All that could be read at the last look, wanted or not, by account and id; undefined before the first look. */
  #readable: ReadonlySet<string> | undefined;
  readonly #heard = new Set<string>();
  /** Those that were gone at a look and are not back, and whose account they were in. */
  readonly #lost = new Map<string, string>();
  #mustLookUp = false;

  /** All that are watched, for the first STATUS. */
  all(): readonly Pick<ForeignNews, 'state' | 'account'>[] {
    return Array.from(this.#watched, ([name, { account, state }]) => ({ account, state: { ...state, name } }));
  }

  /** Rights and subscriptions may have changed. */
  lookAgain(): void {
    this.#mustLookUp = true;
  }

  /** A hint; answers whether it may concern a folder that is watched. */
  hear(accountId: string, mailbox: number | undefined): boolean {
    let matters = false;
    for (const [name, { account, state }] of this.#watched) {
      if (account.id !== accountId) continue;
      if (mailbox === undefined) this.#mustLookUp = true;
      else if (state.id === mailbox) this.#heard.add(name);
      else continue;
      matters = true;
    }
    if (mailbox === undefined && [...this.#lost.values()].includes(accountId)) matters = this.#mustLookUp = true;
    return matters;
  }

  /**
   * Finds those that the registration means and the user may read. What lies in one that could not be read at the last look, as others made it since, or gave the
   * right, is news. @throws as `sharing` does
   */
  async lookUp(session: Session, registration: Registration): Promise<ReachNews> {
    const [before, readBefore] = [this.#watched, this.#readable];
    const watched = new Map<string, Watched>();
    const readable = new Set<string>();
    const { account, guest, visitor, options: { sharing } } = session;
    const subscriptions = new Set(guest === undefined ? account.subscriptions() : []); // those of a guest are where he comes from
    for (const folder of guest === undefined ? await sharing.sharedHere(visitor) : await sharing.sharedBy(account, visitor)) {
      const name = nameOfShared(session, folder);
      if (name === undefined || !folder.rights.includes('r')) continue;
      const key = keyOf(folder);
      readable.add(key);
      if (!registration.wants('MessageNew', { name, subscribed: subscriptions.has(name), whose: 'others' })) continue;
      const isNew = readBefore?.has(key) === false;
      watched.set(name, before.get(name) ?? { account: folder.account, state: isNew ? whenMade(folder.state) : folder.state });
      if (before.has(name) || isNew) this.#heard.add(name);
    }
    this.#watched = watched;
    this.#readable = readable;
    this.#mustLookUp = false;
    return this.#reachNews(before);
  }

  #reachNews(before: ReadonlyMap<string, Watched>): ReachNews {
    const gone = [...before].filter(([name]) => !this.#watched.has(name));
    const back = [...this.#lost.keys()].filter((name) => this.#watched.has(name));
    for (const name of back) this.#lost.delete(name);
    for (const [name, { account }] of gone) this.#lost.set(name, account.id);
    for (const name of [...this.#lost.keys()].slice(0, Math.max(0, this.#lost.size - mostLost))) this.#lost.delete(name);
    return { gone: gone.map(([name]) => name), back };
  }

  get mustLookUp(): boolean {
    return this.#mustLookUp;
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

function keyOf({ account, state }: Watched): string {
  return `${account.id} ${state.id}`;
}
