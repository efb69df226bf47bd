/** What an account looks like to a simple mind: mailboxes with messages, and what was done to them. It knows nothing of sessions. */
import assert from 'node:assert/strict';
import { Flag } from '../../../../backend/storage/storage.ts';
import type { Account, MessageRow } from '../../../../backend/storage/storage.ts';
import { Annotations } from './annotation-model.ts';
import { Identities } from './content-model.ts';
import type { Letter } from './letters.ts';
import { RecentMark } from './recent-model.ts';

export interface ModelMessage {
  readonly uid: number;
  readonly letter: Letter;
  flags: ReadonlySet<string>;
  modseq: number;
  /** When it came there, in milliseconds since 1970. */
  savedMs: number;
}

/** What a command does to one mailbox. */
export interface Effect {
  readonly mailbox: ModelMailbox;
  /** Get these flags, and a new mod-sequence; where the flags stay the same they may keep the old one. */
  readonly flagged?: ReadonlyMap<number, ReadonlySet<string>>;
  readonly gone?: ReadonlySet<number>;
  readonly added?: readonly Pick<ModelMessage, 'letter' | 'flags'>[];
}

/** What has happened, for those who watch. */
export interface Happening {
  readonly mailbox: ModelMailbox;
  /** With a new mod-sequence. */
  readonly changed: readonly number[];
  readonly gone: readonly number[];
  readonly added: readonly number[];
}

export interface ModelMailbox {
  readonly home: AccountModel;
  /** Letters by identifier; behind `-` those that are denied (RFC 4314 section 2). */
  readonly grants: Map<string, string>;
  /** `\\Sent` and others (RFC 6154). */
  readonly uses: readonly string[];
  name: string;
  uidValidity: number;
  uidNext: number;
  highestModseq: number;
  messages: ModelMessage[];
  readonly gone: { readonly uid: number; readonly modseq: number }[];
  readonly recent: RecentMark;
  state: 'there' | 'deleted';
}

const systemFlags = [['\\Seen', Flag.Seen], ['\\Answered', Flag.Answered], ['\\Flagged', Flag.Flagged], ['\\Deleted', Flag.Deleted], ['\\Draft', Flag.Draft]] as const;

export function findMessage(mailbox: ModelMailbox, uid: number): ModelMessage | undefined {
  return mailbox.messages.find((message) => message.uid === uid);
}

export function sameFlags(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((flag) => other.has(flag));
}

/** What a new account has, all but INBOX with a use. */
const usualNames = ['Drafts', 'INBOX', 'Junk', 'Sent', 'Trash'];

export class AccountModel {
  readonly mailboxes = new Map<string, ModelMailbox>();
  /** Names; mailboxes of them may be gone. At first all that there are. */
  readonly subscriptions: Set<string>;
  readonly annotations = new Annotations();
  readonly identities = new Identities();
  /** When what runs was said. */
  #saidMs = Date.now();
  /** What it may hold; undefined: as much as it likes. */
  limits: { readonly bytes?: number; readonly messages?: number } = {};
  readonly #account: Account;
  /** The highest UIDVALIDITY that a mailbox of each name has had. */
  readonly #validities = new Map<string, number>();

  /** @param account as the storage has it: every step is compared with it, and numbers that nobody can predict are learnt from it */
  constructor(account: Account) {
    this.#account = account;
    this.learnMailboxes((name) => (name === 'INBOX' ? [] : [`\\${name}`]));
    assert.deepEqual([...this.mailboxes.keys()].toSorted(), usualNames);
    this.subscriptions = new Set(this.mailboxes.keys());
  }

  /** What it holds. */
  get use(): { readonly bytes: number; readonly messages: number } {
    const all = [...this.mailboxes.values()].flatMap(({ messages }) => messages);
    return { bytes: bytesOf(all.map(({ letter }) => letter)), messages: all.length };
  }

  /** Whether these can come in. @param freed what goes for them */
  hasRoomFor(added: readonly Letter[], freed: readonly Letter[] = []): boolean {
    const { bytes, messages } = this.use;
    const more = { bytes: bytesOf(added) - bytesOf(freed), messages: added.length - freed.length };
    return (more.bytes <= 0 || bytes + more.bytes <= (this.limits.bytes ?? Infinity)) && (more.messages <= 0 || messages + more.messages <= (this.limits.messages ?? Infinity));
  }

  mailbox(name: string): ModelMailbox | undefined {
    return this.mailboxes.get(name);
  }

  /** The nearest mailbox above: one that is made takes its rights over (RFC 4314 section 4). */
  above(name: string): ModelMailbox | undefined {
    for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
      const mailbox = this.mailbox(name.slice(0, at));
      if (mailbox !== undefined) return mailbox;
    }
    return undefined;
  }

  get address(): string {
    return this.#account.address;
  }

  /** New mailboxes are empty; what numbers they begin with only the storage knows. @param usesOf those that are made */
  learnMailboxes(usesOf: (name: string) => readonly string[] = () => []): void {
    for (const { name, uidValidity, uidNext, highestModseq } of this.#account.mailboxes()) {
      if (this.mailboxes.has(name)) continue;
      assert.ok(uidValidity > (this.#validities.get(name) ?? 0), `UIDVALIDITY of ${name} goes back`);
      this.#validities.set(name, uidValidity);
      const mailbox: ModelMailbox = { home: this, grants: new Map(this.above(name)?.grants), uses: usesOf(name), name, uidValidity, uidNext, highestModseq, messages: [], gone: [], recent: new RecentMark(), state: 'there' };
      this.mailboxes.set(name, mailbox);
    }
  }

  /** With all levels below. Answers those that got another UIDVALIDITY, since an earlier mailbox of the new name had a higher one. */
  rename(renamed: ModelMailbox, to: string): ModelMailbox[] {
    const from = renamed.name;
    const moving = [...this.mailboxes.values()].filter(({ name }) => name === from || name.startsWith(`${from}/`));
    for (const { name } of moving) this.mailboxes.delete(name);
    for (const { name } of moving) if (this.subscriptions.delete(name)) this.subscriptions.add(to + name.slice(from.length));
    return moving.filter((mailbox) => {
      mailbox.name = to + mailbox.name.slice(from.length);
      this.mailboxes.set(mailbox.name, mailbox);
      const before = mailbox.uidValidity;
      mailbox.uidValidity = this.#account.mailbox(mailbox.name)?.state().uidValidity ?? 0;
      assert.ok(mailbox.uidValidity >= Math.max(before, this.#validities.get(mailbox.name) ?? 0), `UIDVALIDITY of ${mailbox.name} goes back`);
      this.#validities.set(mailbox.name, mailbox.uidValidity);
      return mailbox.uidValidity !== before;
    });
  }

  remove(mailbox: ModelMailbox): void {
    mailbox.state = 'deleted';
    this.mailboxes.delete(mailbox.name);
  }

  checkNames(): void {
    assert.deepEqual(this.#account.mailboxes().map(({ name }) => name).toSorted(), [...this.mailboxes.keys()].toSorted());
  }

  /** A command is going to be said, or several. */
  begin(): void {
    this.#saidMs = Date.now();
  }

  /** Applies what a command does, and compares with the storage. */
  apply(effect: Effect): Happening {
    const { mailbox, flagged, gone, added = [] } = effect;
    const before = mailbox.highestModseq;
    const left = mailbox.messages.filter(({ uid }) => gone?.has(uid) !== true);
    const lost = mailbox.messages.filter(({ uid }) => gone?.has(uid) === true).map(({ uid }) => uid);
    const mustChange = new Set<number>();
    const mayChange = new Set<number>();
    for (const message of left) {
      const flags = flagged?.get(message.uid);
      if (flags === undefined) continue;
      (sameFlags(flags, message.flags) ? mayChange : mustChange).add(message.uid);
      message.flags = flags;
    }
    const fresh = added.map(({ letter, flags }): ModelMessage => ({ uid: mailbox.uidNext++, letter, flags, modseq: 0, savedMs: 0 }));
    for (const { letter } of fresh) this.identities.threads.enter(letter);
    mailbox.messages = [...left, ...fresh];
    this.#compare(mailbox, { before, mustChange, mayChange });
    const changed = left.filter(({ uid, modseq }) => (mustChange.has(uid) || mayChange.has(uid)) && modseq > before).map(({ uid }) => uid);
    for (const uid of lost) mailbox.gone.push({ uid, modseq: this.#goneAt(mailbox, { uid, before }) });
    return { mailbox, changed, gone: lost, added: fresh.map(({ uid }) => uid) };
  }

  /** Each mod-sequence is given to one change. */
  #goneAt({ name, highestModseq }: ModelMailbox, { uid, before }: { readonly uid: number; readonly before: number }): number {
    for (let modseq = highestModseq; modseq > before; modseq -= 1) {
      if (this.#account.mailbox(name)?.changesSince(modseq - 1).vanished.includes(uid) === true) return modseq;
    }
    return assert.fail(`${String(uid)} went from ${name} without a new mod-sequence`);
  }

  /** As they lie in the storage. */
  storedMessages({ name }: ModelMailbox): { readonly uid: number; readonly flags: ReadonlySet<string> }[] {
    const stored = this.#account.mailbox(name);
    assert.ok(stored !== undefined, `${name} is missing`);
    const { keywords } = stored.state();
    return stored.rows().map((row) => ({ uid: row.uid, flags: new Set(flagsOf(row, keywords)) }));
  }

  /** Uids, flags and counters are as predicted; mod-sequences go up where something changed, and nowhere else. */
  #compare(mailbox: ModelMailbox, { before, mustChange, mayChange }: { readonly before: number; readonly mustChange: ReadonlySet<number>; readonly mayChange: ReadonlySet<number> }): void {
    const stored = this.#account.mailbox(mailbox.name);
    assert.ok(stored !== undefined, `${mailbox.name} is missing`);
    const state = stored.state();
    const rows = stored.rows();
    const { messages, name } = mailbox;
    assert.deepEqual(rows.map(({ uid }) => uid), messages.map(({ uid }) => uid), `uids of ${name}`);
    assert.deepEqual({ uidNext: state.uidNext, messages: state.messages, uidValidity: state.uidValidity }, { uidNext: mailbox.uidNext, messages: messages.length, uidValidity: mailbox.uidValidity }, name);
    assert.ok(state.highestModseq >= before, `the mod-sequence of ${name} goes back`);
    mailbox.highestModseq = state.highestModseq;
    for (const [index, message] of messages.entries()) {
      const row = rows[index];
      assert.ok(row !== undefined);
      assert.deepEqual(flagsOf(row, state.keywords).toSorted(), [...message.flags].toSorted(), `flags of ${name} ${String(message.uid)}`);
      const mustRise = message.modseq === 0 || mustChange.has(message.uid);
      if (mustRise) assert.ok(row.modseq > before && row.modseq <= state.highestModseq, `mod-sequence of ${name} ${String(message.uid)}`);
      else if (!mayChange.has(message.uid)) assert.equal(row.modseq, message.modseq, `mod-sequence of ${name} ${String(message.uid)}, which nobody changed`);
      if (message.modseq === 0) {
        assert.ok(row.savedDateMs >= this.#saidMs && row.savedDateMs <= Date.now(), `${name} ${String(message.uid)} is saved at ${String(row.savedDateMs)}, not after ${String(this.#saidMs)}`);
        message.savedMs = row.savedDateMs;
      }
      message.modseq = row.modseq;
    }
  }
}

/** What they take of a quota. */
export function bytesOf(letters: readonly Letter[]): number {
  return letters.reduce((sum, { text }) => sum + text.length, 0);
}

function flagsOf(row: MessageRow, keywords: readonly string[]): string[] {
  return [...systemFlags.filter(([, bit]) => (row.flags & bit) !== 0).map(([name]) => name as string), ...keywords.filter((_, bit) => ((row.keywords >>> bit) & 1) === 1)];
}
