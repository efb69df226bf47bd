/** A maildrop (RFC 1939 section 5): the messages of INBOX at the moment of login, numbered from 1, and what the client did to them. */
import { Failure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { Flag } from '../storage/storage.ts';
import type { Account, Mailbox, StoredMessage } from '../storage/storage.ts';

/** One message of the snapshot. */
export interface Entry {
  readonly number: number;
  readonly uid: number;
  readonly size: number;
}

export class Maildrop {
  readonly account: Account;
  readonly #mailbox: Mailbox;
  readonly #uidValidity: number;
  readonly #entries: readonly Entry[];
  readonly #log: Logger;
  readonly #deleted = new Set<Entry>();
  #unmarked: number[] = [];
  #marking: Promise<void> | undefined;

  /** Takes the snapshot. Later changes of INBOX are not seen, except that gone messages can't be read any more. */
  constructor(account: Account, log: Logger) {
    const mailbox = account.mailbox('INBOX');
    if (mailbox === undefined) throw new Error(`account ${account.address} has no INBOX`);
    this.account = account;
    this.#mailbox = mailbox;
    this.#log = log;
    this.#uidValidity = mailbox.state().uidValidity;
    this.#entries = mailbox.rows().map(({ uid, size }, index) => ({ number: index + 1, uid, size }));
  }

  /** Messages not marked as deleted. */
  get entries(): readonly Entry[] {
    return this.#deleted.size === 0 ? this.#entries : this.#entries.filter((entry) => !this.#deleted.has(entry));
  }

  /** Number and octets of the messages not marked as deleted. */
  get sum(): { readonly messages: number; readonly octets: number } {
    const { entries } = this;
    return { messages: entries.length, octets: entries.reduce((octets, { size }) => octets + size, 0) };
  }

  /** @throws Failure `bad-input` when there is no such message or it is marked as deleted. */
  entry(number: number): Entry {
    const entry = this.#entries[number - 1];
    if (entry === undefined) throw new Failure('bad-input', `no such message, there are ${String(this.#entries.length)}`);
    if (this.#deleted.has(entry)) throw new Failure('bad-input', `message ${String(number)} is deleted`);
    return entry;
  }

  /** Stays the same for good: UIDVALIDITY and UID go along when the account moves to another node. */
  uniqueId(entry: Entry): string {
    return `${String(this.#uidValidity)}.${String(entry.uid)}`;
  }

  /** @throws Failure `mailbox-missing` when another session removed it meanwhile. */
  message(entry: Entry): StoredMessage {
    const message = this.#mailbox.message(entry.uid);
    if (message === undefined) throw new Failure('mailbox-missing', `message ${String(entry.number)} was removed by another session`);
    return message;
  }

  /** To be removed at QUIT, and only then. */
  delete(entry: Entry): void {
    this.#deleted.add(entry);
  }

  /** Takes all deletions back. */
  reset(): void {
    this.#deleted.clear();
  }

  /** Sets \Seen without making the client wait: marks that come while others are written go together with the next. */
  markSeen(entry: Entry): void {
    if (((this.#mailbox.row(entry.uid)?.flags ?? Flag.Seen) & Flag.Seen) !== 0) return;
    this.#unmarked.push(entry.uid);
    this.#marking ??= this.#writeMarks();
  }

  /** Resolves when all marks are written. */
  async settle(): Promise<void> {
    await this.#marking;
  }

  /** The UPDATE state: removes what was marked as deleted. Answers how many messages stay in the maildrop. */
  async update(): Promise<number> {
    await this.settle();
    const uids = [...this.#deleted].map(({ uid }) => uid).sort((a, b) => a - b);
    if (uids.length > 0) await this.#mailbox.expunge(uids);
    return this.#entries.length - uids.length;
  }

  async #writeMarks(): Promise<void> {
    try {
      while (this.#unmarked.length > 0) {
        const uids = this.#unmarked.sort((a, b) => a - b);
        this.#unmarked = [];
        await this.#mailbox.changeFlags(uids, { mode: 'add', flags: Flag.Seen, keywords: [] });
      }
    } catch (error) {
      // The client has its message; that it still counts as unseen is a small matter to it, not to us.
      this.#log.error({ err: error }, 'could not mark messages as seen');
    } finally {
      this.#marking = undefined;
    }
  }
}
