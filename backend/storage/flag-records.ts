/**
 * Changes of flags that a mailbox keeps beside its rows (pure). What a change did to many rows is the same for all of them, so it is written down once
 * instead of with each; a row as it is now is the row in its block after the records that are newer than it. So it does not matter when a block is
 * written: with rows as they are now, to which the records no longer apply.
 */
import type { MessageRow } from './interface.ts';
import { RowCursor, lowerBound, rowBytes, viewOf } from './row-block.ts';

/** Old bits become `(old & keep) | set`. */
export interface Bits {
  readonly keep: number;
  readonly set: number;
}

/**
 * `ranges`: first and last uid by turns, ascending; each row within them was changed, at that mod-sequence, which nothing else in the mailbox has.
 * `rows`: how many that were, or more where they lie in many blocks: what it costs to read and to write them.
 */
export type FlagRecord = readonly [modseq: number, rows: number, flagsKept: number, flagsSet: number, keywordsKept: number, keywordsSet: number, ...ranges: number[]];

/** A change that was made, and the mod-sequences that its rows had before, from the lowest to the highest. */
export interface FlagEdit {
  readonly record: FlagRecord;
  readonly before: { readonly lowest: number; readonly highest: number };
}

/** Numbers in all records of a mailbox: they stand in its entry, which every change of the mailbox writes. */
const mostNumbers = 120;
/** Numbers in one record. A change that is more scattered than that is written with the rows. */
const mostOfOne = 60;
/** Rows of all records together: who reads the mailbox, and who writes them into the blocks, has that much more to do. */
const mostRows = 32_768;
const rangesFrom = 6;

/** What the mailbox keeps after the change; `with-rows`: it is too large for a record, and is written with its rows, `full`: it is one too many. */
export function withRecord(records: readonly FlagRecord[], edit: FlagEdit): readonly FlagRecord[] | 'with-rows' | 'full' {
  const { record } = edit;
  if (record.length > mostOfOne || record[1] > mostRows || records.some(([modseq]) => modseq === record[0])) return 'with-rows';
  const superseded = records.find((one) => isBefore(one, edit));
  const next = superseded === undefined ? [...records, record] : [...records.filter((one) => one !== superseded), afterOther(superseded, record)];
  const isTooMuch = next.reduce((sum, { length }) => sum + length, 0) > mostNumbers || next.reduce((sum, [, rows]) => sum + rows, 0) > mostRows;
  return isTooMuch ? 'full' : next;
}

/** Whether that record was the last change of the very rows that are changed now: then one can tell of both. */
function isBefore(one: FlagRecord, { record, before }: FlagEdit): boolean {
  if (one[0] !== before.lowest || one[0] !== before.highest || one.length !== record.length) return false;
  for (let index = rangesFrom; index < one.length; index += 1) if (one[index] !== record[index]) return false;
  return true;
}

/** Right for rows, too, that have the first change already: it changes nothing a second time. */
function afterOther([, , flagsKept, flagsSet, keywordsKept, keywordsSet]: FlagRecord, [modseq, rows, flagsKeptNow, flagsSetNow, keywordsKeptNow, keywordsSetNow, ...ranges]: FlagRecord): FlagRecord {
  return [
    modseq, rows,
    flagsKept & flagsKeptNow, (flagsSet & flagsKeptNow) | flagsSetNow,
    keywordsKept & keywordsKeptNow, (keywordsSet & keywordsKeptNow) | keywordsSetNow,
    ...ranges,
  ];
}

/** Brings the rows of a block, or of several one after the other, to what they are now; they are changed in place. */
export function applyRecords(records: readonly FlagRecord[], rows: Buffer): void {
  if (records.length === 0 || rows.length === 0) return;
  const row = new RowCursor(viewOf(rows));
  const firstUid = row.uid;
  row.at = rows.length - rowBytes;
  const lastUid = row.uid;
  for (const record of records) {
    for (let index = rangesFrom; index < record.length; index += 2) {
      const [first, last] = [record[index] ?? 0, record[index + 1] ?? 0];
      if (first > lastUid) break;
      if (last >= firstUid) applyWithin(record, row, { at: lowerBound(rows, first), end: lowerBound(rows, last + 1) });
    }
  }
}

function applyWithin(record: FlagRecord, row: RowCursor, { at, end }: { readonly at: number; readonly end: number }): void {
  const [modseq, , flagsKept, flagsSet, keywordsKept, keywordsSet] = record;
  for (row.at = at; row.at < end; row.at += rowBytes) {
    if (row.modseq >= modseq) continue;
    row.setFlags((row.flags & flagsKept) | flagsSet, (row.keywords & keywordsKept) | keywordsSet);
    row.setModseq(modseq);
  }
}

/** The row as it is now. */
export function rowNow(records: readonly FlagRecord[], row: MessageRow): MessageRow {
  let now = row;
  for (const record of records) {
    const [modseq, , flagsKept, flagsSet, keywordsKept, keywordsSet] = record;
    if (now.modseq >= modseq || !rangesOf(record).some(([first, last]) => row.uid >= first && row.uid <= last)) continue;
    now = { ...now, modseq, flags: ((now.flags & flagsKept) | flagsSet) >>> 0, keywords: ((now.keywords & keywordsKept) | keywordsSet) >>> 0 };
  }
  return now;
}

/** First and last uid, ascending. */
export function rangesOf(record: FlagRecord): readonly (readonly [first: number, last: number])[] {
  const ranges: [number, number][] = [];
  for (let index = rangesFrom; index < record.length; index += 2) ranges.push([record[index] ?? 0, record[index + 1] ?? 0]);
  return ranges;
}

/** Those of a mailbox that can be true of it, and those that can't. A record is measured by the last one before it that can. */
export function bySoundness({ flagRecords = [], highestModseq }: { readonly flagRecords?: readonly FlagRecord[] | undefined; readonly highestModseq: number }): { readonly sound: readonly FlagRecord[]; readonly unsound: readonly FlagRecord[] } {
  const sound: FlagRecord[] = [];
  const unsound: FlagRecord[] = [];
  for (const record of flagRecords) (isSound(record, { before: sound.at(-1), highestModseq }) ? sound : unsound).push(record);
  return { sound, unsound };
}

/** Whether it can be true of a mailbox that has counted up to `highestModseq`. */
function isSound(record: FlagRecord, { before, highestModseq }: { readonly before: FlagRecord | undefined; readonly highestModseq: number }): boolean {
  const uids = record.slice(rangesFrom);
  const ascends = uids.every((uid, index) => (index % 2 === 0 ? uid > (uids[index - 1] ?? 0) : uid >= (uids[index - 1] ?? 0)));
  return record.every(Number.isInteger) && uids.length > 0 && uids.length % 2 === 0 && ascends && record[0] > (before?.[0] ?? 0) && record[0] <= highestModseq;
}
