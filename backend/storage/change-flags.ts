/** A change of flags on many rows: each block is taken up once, and changed in place. */
import { bitsWithin } from './copy-move.ts';
import { Flag } from './interface.ts';
import type { FlagChange, FlagOutcome, MessageRow } from './interface.ts';
import { blockOf } from './keys.ts';
import type { Bits } from './flag-records.ts';
import type { MailboxChange, OpenBlock } from './mailbox-change.ts';
import { RowCursor, emptyBlock, lowerBound, rowBytes, viewOf } from './row-block.ts';
import { PackedRows } from './row-list.ts';

/** A block costs as much to read and to write as that many rows, however few of it are changed. */
const leastOfBlock = 16;

interface Edit {
  readonly flags: Bits;
  readonly keywords: Bits;
  /** Rows with a higher mod-sequence are left alone. */
  readonly limit: number;
  /** What happened to a row after it is noted. */
  readonly known: number;
  readonly answer: 'all' | 'unheard';
}

/** Inside a transaction. Throws `limit`, `bad-input` for keywords. */
export function changeFlags(mailbox: MailboxChange, uids: readonly number[], change: FlagChange): FlagOutcome {
  const before = mailbox.entry.highestModseq;
  const wanted = ascending(uids);
  const work: Work = { mailbox, edit: editOf(mailbox, wanted, change), wanted, modified: [], unheard: new Set(), pieces: [], untouched: 0, made: new MadeChanges() };
  for (let next = 0; next < work.wanted.length;) {
    const number = blockOf(work.wanted[next] ?? 0);
    let end = next + 1;
    while (end < work.wanted.length && blockOf(work.wanted[end] ?? 0) === number) end += 1;
    changeBlock(work, number, { from: next, end });
    next = end;
  }
  work.made.noteIn(mailbox, work.edit);
  const { highestModseq, keywords } = mailbox.entry;
  return new Outcome(work, { keywords, modseq: highestModseq === before ? undefined : highestModseq });
}

/** A class, as V8 keeps an object with a getter of its own, and all that this sees, until it collects its whole heap. */
class Outcome implements FlagOutcome {
  readonly rows: PackedRows;
  readonly untouched: number;
  readonly modified: number[];
  readonly unheard: ReadonlySet<number>;
  readonly modseq: number | undefined;
  readonly keywords: readonly string[];

  constructor({ pieces, untouched, modified, unheard }: Work, { modseq, keywords }: Pick<FlagOutcome, 'modseq' | 'keywords'>) {
    this.rows = new PackedRows(pieces.length === 0 ? emptyBlock : Buffer.concat(pieces));
    this.untouched = untouched;
    this.modified = modified;
    this.unheard = unheard;
    this.modseq = modseq;
    this.keywords = keywords;
  }

  get changed(): MessageRow[] {
    return this.rows.all();
  }
}

/** Each once; what views give is so already. */
function ascending(uids: readonly number[]): readonly number[] {
  for (let index = 1; index < uids.length; index += 1) {
    if ((uids[index - 1] ?? 0) >= (uids[index] ?? 0)) return [...new Set(uids)].sort((one, other) => one - other);
  }
  return uids;
}

/** Keywords are added to the mailbox only where a message is to bear them: names are never taken away from it. */
function editOf(mailbox: MailboxChange, uids: readonly number[], change: FlagChange): Edit {
  const { mode } = change;
  const within = bitsWithin(change.within);
  const limit = change.unchangedSince ?? Infinity;
  const bearsNone = mode === 'remove' || change.within?.keywords === 'none';
  const known = bearsNone || mailbox.knowsKeywords(change.keywords) || !uids.some((uid) => isReached(mailbox.row(uid), limit));
  const keywords = known ? mailbox.knownKeywordBits(change.keywords) : mailbox.keywordBits(change.keywords);
  const bits = (given: number, mask: number): Bits => {
    if (mode === 'replace') return { keep: ~mask, set: given & mask };
    return mode === 'add' ? { keep: -1, set: given & mask } : { keep: ~(given & mask), set: 0 };
  };
  return { flags: bits(change.flags, within.flags), keywords: bits(keywords, within.keywords), limit, known: change.knownModseq ?? Infinity, answer: change.answer ?? 'all' };
}

function isReached(row: MessageRow | undefined, limit: number): boolean {
  return row !== undefined && row.modseq <= limit;
}

interface Work {
  readonly mailbox: MailboxChange;
  readonly edit: Edit;
  readonly wanted: readonly number[];
  readonly modified: number[];
  readonly unheard: Set<number>;
  /** The rows that are asked for, as they are afterwards, where their blocks are. */
  readonly pieces: Buffer[];
  /** How many rows were so before. */
  untouched: number;
  readonly made: MadeChanges;
}

/** Which rows were changed. */
class MadeChanges {
  readonly #blocks: OpenBlock[] = [];
  readonly #ranges: number[] = [];
  /** What follows the last changed row without another row between: a place in that block, or the beginning of the next. */
  #next = { number: -1, at: 0 };
  #rows = 0;
  #lowest = Infinity;
  #highest = 0;

  /** Call it before the row, which `row` reads, is changed. */
  add(open: OpenBlock, row: RowCursor): void {
    const { at, uid, modseq } = row;
    if (this.#blocks.at(-1) !== open) this.#blocks.push(open);
    if (this.#next.number === open.number && this.#next.at === at) this.#ranges[this.#ranges.length - 1] = uid;
    else this.#ranges.push(uid, uid);
    this.#next.number = at + rowBytes < open.block.length ? open.number : open.number + 1;
    this.#next.at = at + rowBytes < open.block.length ? at + rowBytes : 0;
    this.#rows += 1;
    if (modseq < this.#lowest) this.#lowest = modseq;
    if (modseq > this.#highest) this.#highest = modseq;
  }

  noteIn(mailbox: MailboxChange, { flags, keywords }: Pick<Edit, 'flags' | 'keywords'>): void {
    if (this.#rows === 0) return;
    const bits = [flags.keep, flags.set, keywords.keep, keywords.set] as const;
    mailbox.noteFlags({ record: [mailbox.modseq, Math.max(this.#rows, this.#blocks.length * leastOfBlock), ...bits, ...this.#ranges], before: { lowest: this.#lowest, highest: this.#highest } }, this.#blocks);
  }
}

/** @param span places in `wanted` of uids of this block */
function changeBlock(work: Work, number: number, span: { readonly from: number; readonly end: number }): void {
  const { mailbox, edit, wanted, modified, unheard, pieces } = work;
  const open = mailbox.open(number);
  const { block } = open;
  const row = new RowCursor(viewOf(block));
  row.at = lowerBound(block, wanted[span.from] ?? 0);
  let [from, to] = [row.at, row.at];
  const counts = { unseen: 0, deleted: 0 };
  for (let index = span.from; index < span.end; index += 1) {
    const uid = wanted[index] ?? 0;
    while (row.at < block.length && row.uid < uid) row.at += rowBytes;
    if (row.at === block.length) break;
    if (row.uid !== uid) continue;
    if (row.modseq > edit.limit) {
      modified.push(uid);
      continue;
    }
    const isUnheard = row.modseq > edit.known;
    if (isUnheard) unheard.add(uid);
    if (isAsWished(row, edit)) work.untouched += 1;
    else {
      work.made.add(open, row);
      changeRow(row, edit, counts);
      row.setModseq(mailbox.modseq);
    }
    if (edit.answer === 'unheard' && !isUnheard) continue;
    if (row.at !== to) {
      if (to > from) pieces.push(block.subarray(from, to));
      from = row.at;
    }
    to = row.at + rowBytes;
  }
  if (to > from) pieces.push(block.subarray(from, to));
  mailbox.noteMarks(counts);
}

/** A row that stays as it is keeps its mod-sequence. */
function isAsWished({ flags, keywords }: RowCursor, { flags: marks, keywords: words }: Edit): boolean {
  return changed(flags, marks) === flags && changed(keywords, words) === keywords;
}

function changeRow(row: RowCursor, edit: Edit, counts: { unseen: number; deleted: number }): void {
  const { flags: before } = row;
  const flags = changed(before, edit.flags);
  row.setFlags(flags, changed(row.keywords, edit.keywords));
  counts.unseen += Number((before & Flag.Seen) !== 0) - Number((flags & Flag.Seen) !== 0);
  counts.deleted += Number((flags & Flag.Deleted) !== 0) - Number((before & Flag.Deleted) !== 0);
}

function changed(before: number, { keep, set }: Bits): number {
  return ((before & keep) | set) >>> 0;
}

/** Those that bear \Deleted at this moment. Inside a transaction. */
export function deletedOf(mailbox: MailboxChange, uids: readonly number[]): number[] {
  return uids.filter((uid) => ((mailbox.row(uid)?.flags ?? 0) & Flag.Deleted) !== 0);
}
