/** One mailbox inside one write transaction: rows are put and removed, counters follow, `save` writes what was touched. */
import { Failure } from '../../shared/base/failure.ts';
import { keywordNames, putMailbox } from './entries.ts';
import type { MailboxEntry } from './entries.ts';
import { blockOf, noValue } from './keys.ts';
import type { Tables } from './keys.ts';
import type { RightsEntry } from './rights.ts';
import { applyRecords, withRecord } from './flag-records.ts';
import type { FlagEdit } from './flag-records.ts';
import { addRecorded } from './mailbox-rows.ts';
import { emptyBlock, encodeUidRanges, findRow, highestModseq, withoutRow, withRow } from './row-block.ts';
import { Flag } from './interface.ts';
import type { KeywordsBeyond, MessageRow } from './interface.ts';
import type { FlagRecords } from './volume.ts';

const keywordsPerMailbox = 32;
const keywordBytes = 100;
const lastUid = 2 ** 32 - 1;
/** A change of flags in fewer blocks costs less with its rows than as a record, which the entry bears from then on. */
const fewestBlocks = 3;

/** Counted in place: thousands of messages may change at once. */
type Draft = { -readonly [Name in keyof MailboxEntry]: MailboxEntry[Name] };

/** A block as it is now, to be changed in place, and the highest mod-sequence that it has in the index. Its memory is used again after the action. */
export interface OpenBlock {
  readonly number: number;
  readonly block: Buffer;
  readonly indexed: number;
}

const noBlock: OpenBlock = { number: -1, block: emptyBlock, indexed: 0 };

export class MailboxChange {
  readonly #tables: Tables;
  readonly #flagRecords: FlagRecords;
  readonly #blocks = new Map<number, Buffer>();
  /** The highest mod-sequence of each of these blocks as the index has it. */
  readonly #indexed = new Map<number, number>();
  /** Rows are asked for in the order of their uids, so the next is mostly in the same block. */
  #lastRead = noBlock;
  readonly #removed: number[] = [];
  readonly #before: MailboxEntry;
  #entry: Draft;
  #entryChanged = false;
  #modseq: number | undefined;

  constructor(tables: Tables, entry: MailboxEntry, flagRecords: FlagRecords = 'not kept') {
    this.#tables = tables;
    this.#flagRecords = flagRecords;
    this.#before = entry;
    this.#entry = { ...entry };
  }

  /** As it is at the moment; it goes on changing. */
  get entry(): MailboxEntry {
    return this.#entry;
  }

  /** What the account's use grows by. */
  get growth(): { readonly bytes: number; readonly messages: number; readonly rights: number } {
    const [now, before] = [this.#entry, this.#before];
    return { bytes: now.bytes - before.bytes, messages: now.messages - before.messages, rights: (now.rights?.length ?? 0) - (before.rights?.length ?? 0) };
  }

  get touched(): boolean {
    return this.#entryChanged || this.#blocks.size > 0;
  }

  /** The mod-sequence of everything that this transaction changes in this mailbox. */
  get modseq(): number {
    if (this.#modseq === undefined) {
      this.#modseq = this.#entry.highestModseq + 1;
      this.#set({ highestModseq: this.#modseq });
    }
    return this.#modseq;
  }

  setSpecialUse(specialUse: string | null): void {
    this.#set({ specialUse });
  }

  row(uid: number): MessageRow | undefined {
    return findRow(this.open(blockOf(uid)).block, uid);
  }

  /** Puts a message in under the next uid, or one above it; answers the uid. */
  add(row: Omit<MessageRow, 'uid' | 'modseq'>, uid = this.#entry.uidNext): number {
    if (uid < this.#entry.uidNext) throw new Error(`uid ${uid} may have been given already`);
    if (uid > lastUid) throw new Failure('limit', 'mailbox has used all its UIDs');
    this.#entry.recentFrom ??= this.#entry.uidNext;
    const whole = { ...row, uid, modseq: this.modseq };
    const open = this.open(blockOf(uid));
    this.#take(open);
    this.#blocks.set(open.number, withRow(open.block, whole));
    this.#count(whole, 1);
    this.#entry.uidNext = uid + 1;
    return uid;
  }

  /** No message gets a uid below that one. */
  skipTo(uidNext: number): void {
    if (uidNext > this.#entry.uidNext) this.#set({ uidNext });
  }

  /** Clients that know these uids hear that they are gone. */
  noteGone({ first, last }: { readonly first: number; readonly last: number }): void {
    for (let uid = first; uid <= last; uid += 1) this.#removed.push(uid);
  }

  /** The block of that number, as it is at the moment. Who changes its bytes says so by `noteFlags`. */
  open(number: number): OpenBlock {
    const touched = this.#blocks.get(number);
    if (touched !== undefined) return { number, block: touched, indexed: this.#indexed.get(number) ?? 0 };
    if (this.#lastRead.number === number) return this.#lastRead;
    const block = this.#tables.rows.borrow([this.#entry.id, number]) ?? emptyBlock;
    const indexed = highestModseq(block);
    applyRecords(this.#entry.flagRecords ?? [], block);
    this.#lastRead = { number, block, indexed };
    return this.#lastRead;
  }

  /** From now on the block counts as changed. */
  #take({ number, block, indexed }: OpenBlock): void {
    if (this.#indexed.has(number)) return;
    this.#indexed.set(number, indexed);
    this.#blocks.set(number, block);
  }

  /** Flags were changed in these blocks: what did the same to many rows is kept beside them, and they are written when there are too many such changes. */
  noteFlags(edit: FlagEdit, changed: readonly OpenBlock[]): void {
    const { flagRecords: kept = [] } = this.#entry;
    const isWithRows = this.#flagRecords === 'not kept' || this.#blocks.size > 0 || changed.length < fewestBlocks;
    const records = isWithRows ? 'with-rows' : withRecord(kept, edit);
    if (typeof records === 'object') return this.#set({ flagRecords: records });
    for (const open of changed) this.#take(open);
    if (records === 'full') this.#writeRecorded();
  }

  /** All that the records change is written with the rows. */
  #writeRecorded(): void {
    const numbers = new Set<number>();
    addRecorded(this.#tables, this.#entry, numbers);
    for (const number of numbers) if (!this.#indexed.has(number)) this.#take(this.open(number));
    const { flagRecords: _written, ...entry } = this.#entry;
    this.#replace(entry);
  }

  /** How the counters grow by flags that were changed in a block. */
  noteMarks({ unseen, deleted }: Pick<MailboxEntry, 'unseen' | 'deleted'>): void {
    this.#entry.unseen += unseen;
    this.#entry.deleted += deleted;
  }

  /** Takes a message out; the caller releases its bytes. */
  remove(row: MessageRow): void {
    const open = this.open(blockOf(row.uid));
    this.#take(open);
    this.#blocks.set(open.number, withoutRow(open.block, row.uid));
    this.#count(row, -1);
    this.#removed.push(row.uid);
  }

  /** The bits of keywords; unknown ones are added to the mailbox. @param beyond what becomes of those for which it has no room. Throws `limit`, `bad-input`. */
  keywordBits(names: readonly string[], beyond: KeywordsBeyond = 'refused'): number {
    this.#makeRoomForKeywords(names);
    let bits = 0;
    for (const name of names) {
      const index = this.#findKeyword(name);
      if (index >= 0) bits |= 1 << index;
      else if (this.#hasRoomForKeyword || beyond === 'refused') bits |= 1 << this.#addKeyword(name);
    }
    return bits >>> 0;
  }

  /** Whether the mailbox has them all already. */
  knowsKeywords(names: readonly string[]): boolean {
    return names.every((name) => this.#findKeyword(name) >= 0);
  }

  /** The bits of those of the keywords that the mailbox knows. */
  knownKeywordBits(names: readonly string[]): number {
    let bits = 0;
    for (const name of names) {
      const index = this.#findKeyword(name);
      if (index >= 0) bits |= 1 << index;
    }
    return bits >>> 0;
  }

  /** The names of a row's keywords. */
  keywordNames(bits: number): string[] {
    return keywordNames(this.#entry.keywords, bits);
  }

  /** Undefined: none. */
  setUrlKey(urlKey: string | undefined): void {
    const { urlKey: _before, ...entry } = this.#entry;
    this.#replace(urlKey === undefined ? entry : { ...entry, urlKey });
  }

  /** What others may do with it. */
  setRights(rights: readonly RightsEntry[]): void {
    const { rights: _before, ...entry } = this.#entry;
    this.#replace(rights.length === 0 ? entry : { ...entry, rights });
  }

  /** Writes rows, counters and the log of expunged uids. */
  save(): void {
    if (!this.touched) return;
    if (this.#removed.length > 0) {
      const uids = this.#removed.toSorted((one, other) => one - other);
      this.#tables.expunged.put([this.#entry.id, this.modseq], encodeUidRanges(uids));
    }
    for (const [number, block] of this.#blocks) putBlock(this.#tables, this.#entry.id, { number, block, indexed: this.#indexed.get(number) ?? 0 });
    putMailbox(this.#tables, { ...this.#entry }); // it may go on changing
  }

  /** Names are forgotten when no message is there that could bear one: a session knows none of those that come later before it knows their names. */
  #makeRoomForKeywords(names: readonly string[]): void {
    const { keywords, messages } = this.#entry;
    if (messages > 0 || keywords.length === 0) return;
    const more = names.filter((name) => this.#findKeyword(name) < 0).length;
    if (keywords.length + more > keywordsPerMailbox) this.#set({ keywords: [] });
  }

  get #hasRoomForKeyword(): boolean {
    return this.#entry.keywords.length < keywordsPerMailbox;
  }

  /** Answers its place. */
  #addKeyword(name: string): number {
    if (name === '' || Buffer.byteLength(name) > keywordBytes) throw new Failure('bad-input', 'keyword is empty or too long');
    const { keywords } = this.#entry;
    if (!this.#hasRoomForKeyword) throw new Failure('limit', `the mailbox has no room for the keyword ${name}: it has had ${keywordsPerMailbox} others since it was empty, and that is the most`);
    this.#set({ keywords: [...keywords, name] });
    return keywords.length;
  }

  #findKeyword(name: string): number {
    const wanted = name.toLowerCase();
    return this.#entry.keywords.findIndex((known) => known.toLowerCase() === wanted);
  }

  #count(row: MessageRow, sign: 1 | -1): void {
    const entry = this.#entry;
    entry.messages += sign;
    entry.bytes += sign * row.size;
    if ((row.flags & Flag.Seen) === 0) entry.unseen += sign;
    if ((row.flags & Flag.Deleted) !== 0) entry.deleted += sign;
  }

  #replace(entry: MailboxEntry): void {
    this.#entry = entry;
    this.#entryChanged = true;
  }

  #set(change: Partial<MailboxEntry>): void {
    Object.assign(this.#entry, change);
    this.#entryChanged = true;
  }
}

/** Writes one block of a mailbox's rows, with its place among what changed lately. Only inside `write`. */
export function saveBlock(tables: Tables, mailbox: number, { number, block }: { readonly number: number; readonly block: Buffer }): void {
  putBlock(tables, mailbox, { number, block, indexed: highestModseq(tables.rows.get([mailbox, number]) ?? emptyBlock) });
}

/** @param indexed the highest mod-sequence of the block that is replaced; 0 when there is none */
function putBlock({ rows, recent }: Tables, mailbox: number, { number, block, indexed }: { readonly number: number; readonly block: Buffer; readonly indexed: number }): void {
  if (indexed > 0) recent.remove([mailbox, indexed, number]);
  if (block.length === 0) return rows.remove([mailbox, number]);
  rows.put([mailbox, number], block);
  recent.insert([mailbox, highestModseq(block), number], noValue); // each block has one, and the one before is gone
}
