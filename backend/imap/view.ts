/**
 * A session's own view of a mailbox: which message has which sequence number. It changes only in `refresh`, which the
 * session calls where the protocol allows it to tell the client, so that both always mean the same message.
 */
import { Failure } from '../../shared/base/failure.ts';
import { lowerBound } from '../../shared/base/lower-bound.ts';
import { malformed } from '../../shared/imap/scanner.ts';
import { resolveRanges } from '../../shared/imap/sequence-set.ts';
import type { Rights } from '../../shared/imap/rights.ts';
import type { FetchItem } from '../../shared/imap/fetch-items.ts';
import type { SequenceSet } from '../../shared/imap/sequence-set.ts';
import { FlagTexts } from './flag-texts.ts';
import { OwnChanges } from './own-changes.ts';
import { uidRequired } from './replies.ts';
import { ViewBatch } from './view-batch.ts';
import type { FlagOutcome, Mailbox, MessageRow, OpenedState } from '../storage/storage.ts';

/** Positions in the view, counted from 0; both ends belong to it. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A message as this session numbers it. */
export interface Numbered {
  readonly sequence: number;
  readonly row: MessageRow;
  /** How well it matches a FUZZY search, 1 to 100 (RFC 6203). */
  readonly relevancy?: number;
}

/** What the client must hear, in this order. */
export interface News {
  /** Gone, as was found just now; the client may have to wait to hear it. Numbered as before. */
  readonly vanished: readonly { readonly sequence: number; readonly uid: number }[];
  /** Ascending, numbered as before. */
  readonly expunged: readonly { readonly sequence: number; readonly uid: number }[];
  /** The new number of messages, if some came. */
  readonly exists: number | undefined;
  /** Uids of new messages, but those that the client itself put in. */
  readonly arrived: readonly number[];
  /** Numbered as they are now; without new messages, and without what the client itself did and was told. */
  readonly changed: readonly Numbered[];
  /** All that changed or came, by whomever, ascending. */
  readonly touched: readonly MessageRow[];
}

/** Somebody who keeps results of a search up to date (RFC 5267 section 4.3). */
export interface Follower {
  /** How many messages it holds. */
  readonly size: number;
  /** What is told of new messages that it holds. */
  readonly fetch: readonly FetchItem[];
  holds(uid: number): boolean;
  /** What is to be said before the client hears that these are gone. */
  withdraw(vanished: News['vanished']): string | undefined;
  /** What is to be said after the client heard of these. */
  follow(touched: News['touched']): Promise<string | undefined>;
}

/** Are the numbers of a command sequence numbers or uids? */
export type Numbers = 'sequence' | 'uid';

const noNews: News = { vanished: [], expunged: [], exists: undefined, arrived: [], changed: [], touched: [] };

export class View {
  readonly mailbox: Mailbox;
  readonly access: 'read-write' | 'read-only';
  /** What the user may do with the mailbox, as last looked at. */
  rights: Rights;
  /** As it was when it was opened. */
  readonly opened: OpenedState;
  readonly flagTexts: FlagTexts;
  /** `uids`: the client has renounced sequence numbers (RFC 9586). */
  numbering: 'sequence and uids' | 'uids' = 'sequence and uids';
  /** The result of the last SEARCH with SAVE, as uids (`$`, RFC 5182). */
  saved: readonly number[] = [];
  /** By the tags of the commands that asked for them. */
  readonly followers = new Map<string, Follower>();
  /** Others may have the same list: it is replaced, never changed. */
  #uids: readonly number[];
  /** The newest uid ever seen in the mailbox: higher ones are new. */
  #newestUid: number;
  /** All changes up to this mod-sequence are known here (perhaps not yet told). */
  #modseq: number;
  /** Gone from the mailbox, but the client was not told yet. */
  readonly #gone = new Set<number>();
  /** While there are some: to this mod-sequence the client was told all. */
  toldModseq = 0;
  readonly #own = new OwnChanges();
  /** New messages of which the client has heard, and what it is still to be told of them: NOTIFY or a search asks for it. */
  readonly toDescribe = new Map<number, readonly FetchItem[]>();
  /** How many recent messages the client knows of; undefined before it was told. */
  toldRecent: number | undefined;

  /** Opens a view on the mailbox as it is now. @throws mailbox-missing */
  constructor(mailbox: Mailbox, access: 'read-write' | 'read-only', rights: Rights) {
    this.mailbox = mailbox;
    this.access = access;
    this.rights = rights;
    const { state, uids } = mailbox.opened();
    this.opened = state;
    this.#modseq = state.highestModseq;
    this.flagTexts = new FlagTexts(state.keywords, state.recentFrom);
    this.#uids = uids;
    this.#newestUid = Math.max(state.uidNext - 1, uids.at(-1) ?? 0);
  }

  /** By which rights this session may change flags. */
  get flagRights(): Rights {
    return this.access === 'read-write' ? this.rights : '';
  }

  /** Stands for the mailbox in what the worker remembers of immutable messages, by their uids. */
  get lasting(): string {
    return `${String(this.mailbox.opening)} ${this.opened.mailboxId} ${String(this.uidValidity)}`;
  }

  get uidValidity(): number {
    return this.opened.uidValidity;
  }

  get count(): number {
    return this.#uids.length;
  }

  /** All uids, by position. Whoever has the same list has the same messages under the same numbers, even those that are gone meanwhile. */
  get uids(): readonly number[] {
    return this.#uids;
  }

  get highestModseq(): number {
    return this.#modseq;
  }

  /** Messages with this uid and higher ones are \Recent. */
  get recentFrom(): number {
    return this.flagTexts.recentFrom;
  }

  /** True while messages are gone of which the client could not be told yet. */
  get hidesExpunges(): boolean {
    return this.#gone.size > 0;
  }

  /** The uid at a position counted from 0. */
  uidAt(position: number): number {
    return this.#uids[position] ?? 0;
  }

  /** The sequence number of a uid, undefined when it is not in the view. */
  sequenceOf(uid: number): number | undefined {
    const position = lowerBound(this.#uids, uid);
    return this.#uids[position] === uid ? position + 1 : undefined;
  }

  /**
   * Where the messages of a set stand. Unknown uids are skipped.
   * Refuses sequence numbers where only uids may be used.
   * @throws bad-input for sequence numbers that don't exist (RFC 9051 section 9, seq-number).
   */
  spans(set: SequenceSet, numbers: Numbers): Span[] {
    if (set === 'saved') return this.#savedSpans();
    if (numbers === 'uid') {
      return resolveRanges(set, this.#uids.at(-1) ?? 0)
        .map(({ first, last }) => ({ from: lowerBound(this.#uids, first), to: lowerBound(this.#uids, last + 1) - 1 }))
        .filter(({ from, to }) => from <= to);
    }
    this.requireNumbering(set);
    // Clients ask for 1:* without knowing that the mailbox is empty.
    if (this.count === 0 && set.every(({ last }) => last === Infinity)) return [];
    const ranges = resolveRanges(set, this.count);
    if ((ranges[0]?.first ?? 0) < 1 || (ranges.at(-1)?.last ?? 0) > this.count) throw malformed('no message with that sequence number');
    return ranges.map(({ first, last }) => ({ from: first - 1, to: last - 1 }));
  }

  /** Refuses sequence numbers where only uids may be used (RFC 9586). */
  requireNumbering(set: SequenceSet): void {
    if (set !== 'saved' && this.numbering === 'uids') throw uidRequired();
  }

  /** The uids at these positions. */
  uidsIn(spans: readonly Span[]): number[] {
    const [first] = spans;
    if (spans.length === 1 && first !== undefined) return this.#uids.slice(first.from, first.to + 1); // mostly it is all of them
    return spans.flatMap(({ from, to }) => this.#uids.slice(from, to + 1));
  }

  /** The rows at these positions, at most `size` at a time; messages that are gone are left out. */
  *batches(spans: readonly Span[], size: number): Generator<Numbered[], void, void> {
    let batch: Numbered[] = [];
    for (const some of this.looks(spans, size)) {
      batch.push(...some.all());
      if (batch.length >= size) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0) yield batch;
  }

  /** The same for who needs few of their objects, one batch or more for each span. */
  *looks(spans: readonly Span[], size: number): Generator<ViewBatch, void, void> {
    for (const span of spans) {
      for (let from = span.from; from <= span.to; from += size) {
        const to = Math.min(span.to, from + size - 1);
        yield new ViewBatch(this.mailbox.rowList({ fromUid: this.uidAt(from), toUid: this.uidAt(to), count: to - from + 1 }), { from, to }, this.#uids);
      }
    }
  }

  /** Remembers a change that the client made, and was or need not be told of. */
  noteOwnChange(outcome: FlagOutcome): void {
    this.#own.note(outcome, this.#modseq);
  }

  /** Remembers messages that the client put into this mailbox by a command of its own. */
  noteOwnMessages(uids: readonly number[]): void {
    this.#own.noteMessages(uids);
  }

  /**
   * Takes up what happened in the mailbox.
   * @param mode `no-expunges`: messages that are gone keep their numbers until later.
   * @throws mailbox-missing
   */
  refresh(mode: 'everything' | 'no-expunges'): News {
    const state = this.mailbox.latest();
    if (state.uidValidity !== this.uidValidity) throw new Failure('mailbox-missing', 'the mailbox was replaced by another');
    const changes = this.knowsUpTo(state.highestModseq) ? undefined : this.mailbox.changesSince(this.#modseq);
    this.flagTexts.learn((changes ?? state).keywords);
    if (!this.hidesExpunges) this.toldModseq = this.#modseq;
    this.#modseq = state.highestModseq;
    const vanished = this.#noteGone(changes?.vanished ?? []);
    if (changes === undefined && (mode === 'no-expunges' || this.#gone.size === 0)) {
      this.#own.forget();
      return noNews;
    }
    const expunged = mode === 'everything' ? this.#dropGone() : [];
    const rows = changes?.changed ?? [];
    const changed = this.#toTell(rows.filter((row) => row.uid <= this.#newestUid));
    const fresh = rows.map((row) => row.uid).filter((uid) => uid > this.#newestUid);
    if (fresh.length > 0) this.#uids = [...this.#uids, ...fresh.toSorted((a, b) => a - b)];
    this.#newestUid = Math.max(this.#newestUid, this.#uids.at(-1) ?? 0);
    this.#own.forget();
    const arrived = fresh.filter((uid) => !this.#own.takeMessage(uid));
    return { vanished, expunged, exists: fresh.length > 0 ? this.count : undefined, arrived, changed, touched: rows };
  }

  /** Whether up to that mod-sequence there is nothing after what is known but what the client itself did to flags, of which nobody else has to hear. */
  knowsUpTo(modseq: number): boolean {
    return this.followers.size > 0 ? modseq === this.#modseq : this.#own.knownFrom(this.#modseq) >= modseq;
  }

  #noteGone(uids: readonly number[]): { sequence: number; uid: number }[] {
    const vanished: { sequence: number; uid: number }[] = [];
    for (const uid of uids) {
      const sequence = this.#gone.has(uid) ? undefined : this.sequenceOf(uid);
      if (sequence === undefined) continue;
      this.#gone.add(uid);
      vanished.push({ sequence, uid });
    }
    return vanished;
  }

  #toTell(rows: readonly MessageRow[]): Numbered[] {
    const told: Numbered[] = [];
    for (const row of rows) {
      const sequence = this.#own.made(row) ? undefined : this.sequenceOf(row.uid);
      if (sequence !== undefined) told.push({ sequence, row });
    }
    return told;
  }

  #dropGone(): { sequence: number; uid: number }[] {
    if (this.#gone.size === 0) return [];
    const expunged: { sequence: number; uid: number }[] = [];
    this.#uids = this.#uids.filter((uid, position) => {
      if (!this.#gone.has(uid)) return true;
      expunged.push({ sequence: position + 1, uid });
      return false;
    });
    this.saved = this.saved.filter((uid) => !this.#gone.has(uid));
    this.#gone.clear();
    return expunged;
  }

  #savedSpans(): Span[] {
    const positions = this.saved.map((uid) => lowerBound(this.#uids, uid)).filter((position, index) => this.#uids[position] === this.saved[index]);
    const spans: { from: number; to: number }[] = [];
    for (const position of positions) {
      const last = spans.at(-1);
      if (last?.to === position - 1) last.to = position;
      else spans.push({ from: position, to: position });
    }
    return spans;
  }
}
