/** A change of flags on many rows: each block is taken up once, and changed in place. */
import { bitsWithin } from './copy-move.ts';
import { Flag } from './interface.ts';
import type { FlagChange, FlagOutcome } from './interface.ts';
import { blockOf } from './keys.ts';
import type { MailboxChange } from './mailbox-change.ts';
import { RowCursor, lowerBound, rowBytes, setFlagsIn, viewOf } from './row-block.ts';
import { PackedRows } from './row-list.ts';

/** Old bits become `(old & keep) | set`. */
interface Bits {
  readonly keep: number;
  readonly set: number;
}

interface Edit {
  readonly flags: Bits;
  readonly keywords: Bits;
  /** Rows with a higher mod-sequence are left alone. */
  readonly limit: number;
  /** What happened to a row after it is noted. */
  readonly known: number;
}

/** Inside a transaction. Throws `limit`, `bad-input` for keywords. */
export function changeFlags(mailbox: MailboxChange, uids: readonly number[], change: FlagChange): FlagOutcome {
  const before = mailbox.entry.highestModseq;
  const edit = editOf(mailbox, change);
  const modified: number[] = [];
  const pieces: Buffer[] = [];
  const unheard = new Set<number>();
  const wanted = ascending(uids);
  for (let next = 0; next < wanted.length;) {
    const number = blockOf(wanted[next] ?? 0);
    let end = next + 1;
    while (end < wanted.length && blockOf(wanted[end] ?? 0) === number) end += 1;
    changeBlock({ mailbox, edit, modified, unheard, pieces }, number, wanted.slice(next, end));
    next = end;
  }
  const rows = new PackedRows(Buffer.concat(pieces));
  const { highestModseq, keywords } = mailbox.entry;
  return { rows, get changed() { return rows.all(); }, modified, unheard, keywords, modseq: highestModseq === before ? undefined : highestModseq };
}

/** Each once; what views give is so already. */
function ascending(uids: readonly number[]): readonly number[] {
  const isSo = uids.every((uid, index) => index === 0 || (uids[index - 1] ?? 0) < uid);
  return isSo ? uids : [...new Set(uids)].sort((one, other) => one - other);
}

function editOf(mailbox: MailboxChange, change: FlagChange): Edit {
  const { mode } = change;
  const within = bitsWithin(change.within);
  const known = mode === 'remove' || change.within?.keywords === 'none';
  const keywords = known ? mailbox.knownKeywordBits(change.keywords) : mailbox.keywordBits(change.keywords);
  const bits = (given: number, mask: number): Bits => {
    if (mode === 'replace') return { keep: ~mask, set: given & mask };
    return mode === 'add' ? { keep: -1, set: given & mask } : { keep: ~(given & mask), set: 0 };
  };
  return { flags: bits(change.flags, within.flags), keywords: bits(keywords, within.keywords), limit: change.unchangedSince ?? Infinity, known: change.knownModseq ?? Infinity };
}

interface Work {
  readonly mailbox: MailboxChange;
  readonly edit: Edit;
  readonly modified: number[];
  readonly unheard: Set<number>;
  /** The rows as they are afterwards. */
  readonly pieces: Buffer[];
}

function changeBlock({ mailbox, edit, modified, unheard, pieces }: Work, number: number, uids: readonly number[]): void {
  const block = mailbox.block(number);
  const view = viewOf(block);
  const row = new RowCursor(view);
  row.at = lowerBound(block, uids[0] ?? 0);
  let [from, to] = [row.at, row.at];
  for (const uid of uids) {
    while (row.at < block.length && row.uid < uid) row.at += rowBytes;
    if (row.at === block.length) break;
    if (row.uid !== uid) continue;
    if (row.modseq > edit.limit) {
      modified.push(uid);
      continue;
    }
    if (row.modseq > edit.known) unheard.add(uid);
    changeRow(mailbox, { edit, number, block, view, row });
    if (row.at !== to) {
      if (to > from) pieces.push(block.subarray(from, to));
      from = row.at;
    }
    to = row.at + rowBytes;
  }
  if (to > from) pieces.push(block.subarray(from, to));
}

/** A row that stays as it is keeps its mod-sequence. */
function changeRow(mailbox: MailboxChange, { edit, number, block, view, row }: { readonly edit: Edit; readonly number: number; readonly block: Buffer; readonly view: DataView; readonly row: RowCursor }): void {
  const { flags: before } = row;
  const flags = ((before & edit.flags.keep) | edit.flags.set) >>> 0;
  const keywords = ((row.keywords & edit.keywords.keep) | edit.keywords.set) >>> 0;
  if (flags === before && keywords === row.keywords) return;
  mailbox.take(number, block);
  setFlagsIn(view, row.at, { flags, keywords, modseq: mailbox.modseq });
  const gained = (flag: number): number => Number((flags & flag) !== 0) - Number((before & flag) !== 0);
  mailbox.noteMarks({ unseen: -gained(Flag.Seen), deleted: gained(Flag.Deleted) });
}
