/** The rows of a mailbox as they are now: as its blocks have them, after the changes of flags that it keeps beside them. All inside `read` or `write`. */
import type { MailboxEntry } from './entries.ts';
import { getMailbox } from './entries.ts';
import { keysUnder } from './environment.ts';
import { applyRecords, rangesOf, rowNow } from './flag-records.ts';
import type { MessageRow } from './interface.ts';
import { blockOf, rowsInBlock } from './keys.ts';
import type { Tables } from './keys.ts';
import { collectRows, findRow, rowBytes } from './row-block.ts';

/** Whose rows. Of a mailbox without an entry only the blocks are known. */
export type RowOwner = Pick<MailboxEntry, 'id' | 'flagRecords'>;

/** Both ends belong to it. */
export interface UidRange {
  readonly fromUid: number;
  readonly toUid: number;
}

export interface NumberedBlock {
  readonly number: number;
  readonly block: Buffer;
}

const highestUid = 2 ** 32 - 1;
const fullBlockBytes = rowsInBlock * rowBytes;

/** The mod-sequence at which messages were removed last, as it stands in the log of removals; 0 where there is none. */
export function lastRemoval(tables: Tables, mailbox: number): number {
  const [last] = tables.expunged.range({ ...keysUnder([mailbox]), limit: 1, order: 'descending' });
  return last === undefined ? 0 : Number(last.key[1]);
}

export function ownerOf(tables: Tables, mailbox: number): RowOwner {
  return getMailbox(tables, mailbox) ?? { id: mailbox };
}

/** A copy, or undefined where there is none. */
export function blockNow(tables: Tables, { id, flagRecords = [] }: RowOwner, number: number): Buffer | undefined {
  const block = tables.rows.get([id, number]);
  if (block !== undefined) applyRecords(flagRecords, block);
  return block;
}

/** The blocks in which rows with these uids may be, ascending. */
export function blocksNow(tables: Tables, { id, flagRecords = [] }: RowOwner, { fromUid, toUid }: UidRange = { fromUid: 0, toUid: highestUid }): readonly NumberedBlock[] {
  const found = tables.rows.range({ from: [id, blockOf(Math.max(fromUid, 0))], to: [id, blockOf(Math.min(toUid, highestUid)) + 1] });
  for (const { value } of found) applyRecords(flagRecords, value);
  return found.map(({ key, value }) => ({ number: Number(key[1]), block: value }));
}

/**
 * The same, joined, where `count` rows are in the range: to ask for each block costs half as much as to walk from one to the next. Undefined where most of the numbers
 * that they can have may be unused.
 */
export function denseBlocksNow(tables: Tables, { id, flagRecords = [] }: RowOwner, { fromUid, toUid, count }: UidRange & { readonly count: number }): Buffer | undefined {
  const [first, last] = [blockOf(Math.max(fromUid, 0)), blockOf(Math.min(toUid, highestUid))];
  if (last - first > Math.max(1, count / 16)) return undefined;
  const bytes = Buffer.allocUnsafeSlow(Math.max(0, last - first + 1) * fullBlockBytes); // the range may be of nothing
  let length = 0;
  for (let number = first; number <= last; number += 1) length += tables.rows.peek([id, number])?.copy(bytes, length) ?? 0;
  applyRecords(flagRecords, bytes.subarray(0, length));
  return bytes.subarray(0, length);
}

export function findRowNow(tables: Tables, mailbox: number, uid: number): MessageRow | undefined {
  const { flagRecords = [] } = ownerOf(tables, mailbox);
  const block = tables.rows.peek([mailbox, blockOf(uid)]);
  const row = block === undefined ? undefined : findRow(block, uid);
  return row === undefined ? undefined : rowNow(flagRecords, row);
}

/** Every row of a mailbox, by uid. */
export function allRows(tables: Tables, mailbox: number): MessageRow[] {
  const rows: MessageRow[] = [];
  for (const { block } of blocksNow(tables, ownerOf(tables, mailbox))) collectRows(block, { fromUid: 1, toUid: highestUid, sinceModseq: 0 }, rows);
  return rows;
}

/** The rows with a higher mod-sequence, by uid. */
export function rowsChangedSince(tables: Tables, owner: RowOwner, modseq: number): MessageRow[] {
  const later = { ...keysUnder([owner.id]), from: [owner.id, modseq + 1] };
  const numbers = new Set(tables.recent.range(later).map(({ key }) => Number(key[2])));
  addRecorded(tables, { ...owner, flagRecords: owner.flagRecords?.filter((record) => record[0] > modseq) ?? [] }, numbers);
  const changed: MessageRow[] = [];
  for (const number of [...numbers].sort((one, other) => one - other)) {
    const block = blockNow(tables, owner, number);
    if (block !== undefined) collectRows(block, { fromUid: 1, toUid: highestUid, sinceModseq: modseq }, changed);
  }
  return changed;
}

/** The numbers of the blocks that the records change; of some of them there may be no block. */
export function addRecorded(tables: Tables, { id, flagRecords = [] }: RowOwner, into: Set<number>): void {
  for (const [fromUid, toUid] of flagRecords.flatMap(rangesOf)) {
    const [first, last] = [blockOf(fromUid), blockOf(toUid)];
    if (last - first < 2) into.add(first).add(last);
    else for (const { key } of tables.rows.range({ from: [id, first], to: [id, last + 1] })) into.add(Number(key[1]));
  }
}
