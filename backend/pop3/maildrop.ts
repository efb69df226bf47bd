/** A maildrop (RFC 1939 section 5): the messages of INBOX at the moment of login, numbered from 1, and what the client did to them. */
import type { Logger } from '../../shared/log/log.ts';
import { countRetrievals } from '../../shared/metrics/service-counters.ts';
import { Flag } from '../storage/storage.ts';
import type { Account, Mailbox, MeasuredMailbox, MessageRow, RowList, StoredMessage } from '../storage/storage.ts';

/** One message of the snapshot. */
export interface Entry {
  readonly number: number;
  readonly uid: number;
  readonly size: number;
}

/** What an administrator has decided about maildrops. */
export interface MaildropPolicy {
  /** Whether RETR sets \Seen. */
  readonly retrieved: 'seen' | 'as before';
  /** How long what was read stays in the maildrop, in days (RFC 2449 section 6.7); undefined: for good. */
  readonly expireDays: number | undefined;
}

export interface MaildropOptions extends MaildropPolicy {
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Gives the lock back, if there is one; may be called twice. */
  readonly unlock: () => Promise<void>;
}

const dayMs = 86_400_000;
/** So many uids are looked at together: who reads one message reads those behind it. */
const uidsAtOnce = 64;

export class Maildrop {
  readonly account: Account;
  /** Messages of the snapshot, those marked as deleted among them. */
  readonly total: number;
  readonly #mailbox: Mailbox;
  readonly #snapshot: MeasuredMailbox;
  /** By place; those that somebody asked for. */
  readonly #entries: (Entry | undefined)[] = [];
  readonly #options: MaildropOptions;
  readonly #deleted = new Set<Entry>();
  readonly #retrieved = new Set<number>();
  #unmarked: number[] = [];
  #series: ReturnType<Mailbox['byteSeries']> | undefined;
  #glance: { readonly fromUid: number; readonly rows: RowList } | undefined;
  /** Retrieved, and on their way to the client. */
  #leaving: { readonly entry: Entry; readonly octets: number }[] = [];
  #marking: Promise<void> | undefined;

  /** Takes the snapshot. Later changes of INBOX are not seen, except that gone messages can't be read any more. */
  constructor(account: Account, options: MaildropOptions) {
    const mailbox = account.mailbox('INBOX');
    if (mailbox === undefined) throw new Error(`account ${account.address} has no INBOX`);
    this.account = account;
    this.#mailbox = mailbox;
    this.#options = options;
    this.#snapshot = mailbox.measured();
    this.total = this.#snapshot.uids.length;
  }

  /** Messages not marked as deleted. */
  get entries(): readonly Entry[] {
    const all = this.#all();
    return this.#deleted.size === 0 ? all : all.filter((entry) => !this.#deleted.has(entry));
  }

  /** Number and octets of the messages not marked as deleted. */
  get sum(): { readonly messages: number; readonly octets: number } {
    let octets = this.#snapshot.bytes;
    for (const { size } of this.#deleted) octets -= size;
    return { messages: this.total - this.#deleted.size, octets };
  }

  /** The message of that number, whether it may still be spoken of; undefined when there never was one. */
  find(number: number): { readonly entry: Entry; readonly marked: 'deleted' | 'no' } | undefined {
    if (number < 1 || number > this.total) return undefined;
    const entry = this.#entry(number - 1);
    return { entry, marked: this.#deleted.has(entry) ? 'deleted' : 'no' };
  }

  #all(): readonly Entry[] {
    return Array.from({ length: this.total }, (_, index) => this.#entry(index));
  }

  /** Made when somebody asks: most sessions only look whether there is mail. */
  #entry(index: number): Entry {
    return this.#entries[index] ??= this.#make(index);
  }

  #make(index: number): Entry {
    const { uids: { [index]: uid = 0 }, sizes: { [index]: size = 0 } } = this.#snapshot;
    return { number: index + 1, uid, size };
  }

  /** Stays the same for good: UIDVALIDITY and UID go along when the account moves to another node. */
  uniqueId(entry: Entry): string {
    return `${String(this.#snapshot.uidValidity)}.${String(entry.uid)}`;
  }

  /** Undefined when another session removed it meanwhile. Messages behind it are read along: its bytes are not to be changed, nor looked at once the next are read. */
  message(entry: Entry): StoredMessage | undefined {
    const row = this.#rowOf(entry);
    this.#series ??= this.#mailbox.byteSeries('used again');
    return row === undefined ? undefined : this.#series(row);
  }

  /** As it was when `lookAgain` was called last, or later. The object is another row's after the next call. */
  #rowOf({ uid }: Entry): MessageRow | undefined {
    const known = this.#glance !== undefined && uid >= this.#glance.fromUid && uid < this.#glance.fromUid + uidsAtOnce;
    const { rows } = known && this.#glance !== undefined ? this.#glance : this.#look(uid);
    return rows.lookFor(uid);
  }

  #look(fromUid: number): { readonly rows: RowList } {
    this.#glance = { fromUid, rows: this.#mailbox.rowList({ fromUid, toUid: fromUid + uidsAtOnce - 1, count: uidsAtOnce }) };
    return this.#glance;
  }

  /** Other sessions may have changed what was looked at. */
  lookAgain(): void {
    this.#glance = undefined;
  }

  /** What was read and looked at along is held no longer. */
  endSeries(): void {
    this.#series = undefined;
    this.#glance = undefined;
  }

  /** To be removed at QUIT, and only then. */
  delete(entry: Entry): void {
    this.#deleted.add(entry);
  }

  /** Takes all deletions back. */
  reset(): void {
    this.#deleted.clear();
  }

  /** It is on its way to the client, as so many octets; when it has left `haveLeft` is to be called. `first`: since that was called last. */
  isLeaving(entry: Entry, octets: number): 'first' | 'one more' {
    return this.#leaving.push({ entry, octets }) === 1 ? 'first' : 'one more';
  }

  /** The client has them whole. Sets \Seen without making the client wait: marks that come while others are written go together with the next. */
  haveLeft(): void {
    countRetrievals(this.#leaving.length, this.#leaving.reduce((sum, { octets }) => sum + octets, 0));
    for (const { entry: { uid } } of this.#leaving) {
      this.#retrieved.add(uid);
      if (this.#options.retrieved === 'seen') this.#unmarked.push(uid);
    }
    this.#leaving = [];
    if (this.#unmarked.length > 0) this.#marking ??= this.#writeMarks();
  }

  /** Resolves when all marks are written. */
  async settle(): Promise<void> {
    await this.#marking;
  }

  /** When the session is over, whichever way: all marks are written, and others may open the maildrop. */
  async close(): Promise<void> {
    await this.settle();
    await this.#options.unlock();
  }

  /** The UPDATE state: removes what was marked as deleted, and what has stayed for its time. Answers how many of the messages that the client was shown stay, whoever removed the others. */
  async update(): Promise<number> {
    await this.settle();
    const marked = [...this.#deleted].map(({ uid }) => uid);
    const uids = [...new Set([...marked, ...this.#expired()])].sort((a, b) => a - b);
    if (uids.length > 0) await this.#mailbox.expunge(uids);
    return this.#countLeft();
  }

  /** What came since has higher uids than the snapshot. */
  #countLeft(): number {
    const lastUid = this.#snapshot.uids.at(-1) ?? 0;
    const { messages, uidNext } = this.#mailbox.state();
    return uidNext === lastUid + 1 ? messages : messages - this.#mailbox.rowList({ fromUid: lastUid + 1, toUid: uidNext - 1, count: messages }).length;
  }

  /**
   * Only what the client was shown in this session, and what somebody has read: retrieved in this session, or \Seen. With no
   * day to stay RFC 2449 section 6.7 speaks of what was retrieved alone.
   */
  #expired(): number[] {
    const { expireDays, now } = this.#options;
    if (expireDays === undefined) return [];
    const savedBefore = now() - expireDays * dayMs;
    const isRead = ({ uid, flags }: MessageRow): boolean => this.#retrieved.has(uid) || (expireDays > 0 && (flags & Flag.Seen) !== 0);
    const known = new Set(this.#all().map(({ uid }) => uid));
    return this.#mailbox.rows().filter((row) => known.has(row.uid) && isRead(row) && row.savedDateMs <= savedBefore).map(({ uid }) => uid);
  }

  /** @param uids ascending */
  #unseenOf(uids: readonly number[]): number[] {
    const rows = this.#mailbox.rowList({ fromUid: uids[0] ?? 0, toUid: uids.at(-1) ?? 0, count: uids.length });
    return uids.filter((uid, index) => uid !== uids[index - 1] && ((rows.lookFor(uid)?.flags ?? Flag.Seen) & Flag.Seen) === 0);
  }

  async #writeMarks(): Promise<void> {
    try {
      while (this.#unmarked.length > 0) {
        await Promise.resolve(); // what has left with it goes together
        const uids = this.#unseenOf(this.#unmarked.sort((a, b) => a - b));
        this.#unmarked = [];
        if (uids.length > 0) await this.#mailbox.changeFlags(uids, { mode: 'add', flags: Flag.Seen, keywords: [], answer: 'unheard' });
      }
    } catch (error) {
      // The client has its message; that it still counts as unseen is a small matter to it, not to us.
      this.#options.log.error({ err: error }, 'could not mark messages as seen');
    } finally {
      this.#marking = undefined;
    }
  }
}
