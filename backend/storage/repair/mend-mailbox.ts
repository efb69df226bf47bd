/**
 * Puts right what the index says of one mailbox: its rows are what counts, all else follows from them. One transaction for each
 * mailbox, which looks for itself: what was right already is left alone, and a repair that is cut goes on where it was.
 */
import { randomBytes } from 'node:crypto';
import { counted } from '../../../shared/base/counted.ts';
import { definite } from '../../../shared/base/definite.ts';
import { getMailbox, mailboxIdOf, putAccount, putMailbox, putName } from '../entries.ts';
import type { AccountEntry, MailboxEntry } from '../entries.ts';
import { keysUnder } from '../environment.ts';
import { Flag } from '../interface.ts';
import type { MessageRow } from '../interface.ts';
import { blockOf } from '../keys.ts';
import type { Tables } from '../keys.ts';
import { saveBlock } from '../mailbox-change.ts';
import { lastRemoval } from '../mailbox-rows.ts';
import { applyRecords, bySoundness } from '../flag-records.ts';
import type { FlagRecord } from '../flag-records.ts';
import { collectRows, emptyBlock, highestModseq, withRow } from '../row-block.ts';
import { newUidValidity } from '../uid-validity.ts';
import type { Volume } from '../volume.ts';
import { lostAndFound } from './mended.ts';
import type { Mended } from './mended.ts';

const usedKeywords = 32;
/** What a damaged change of flags says beyond that is no mod-sequence that a client has seen: there are no more than 2^53 for all changes to come. */
const mostMissed = 2 ** 32;

/** Rows in order, each UID once, what changed lately, UIDNEXT, HIGHESTMODSEQ and counters. */
export async function mendMailbox({ environment, tables }: Volume, id: number): Promise<readonly Mended[]> {
  return environment.write(() => {
    const entry = getMailbox(tables, id);
    if (entry === undefined) return [];
    const { flagRecords = [], ...plain } = entry;
    const { sound, unsound } = bySoundness(entry);
    const { rows, isInOrder } = rowsInOrder(tables, { ...plain, flagRecords: sound }, unsound);
    if (!isInOrder || flagRecords.length > 0 || !isRecentRight(tables, id)) writeRows(tables, id, rows);
    const mended = recounted(plain, rows, lastRemoval(tables, id));
    if (JSON.stringify(mended) !== JSON.stringify(entry)) putMailbox(tables, mended);
    const changes = (Object.keys(mended) as (keyof MailboxEntry)[]).filter((key) => mended[key] !== entry[key]).map((key) => `${key} ${String(mended[key])}, was ${String(entry[key])}`);
    if (unsound.length > 0) changes.push(`${counted(unsound.length, 'change')} of flags that could not be read ${unsound.length === 1 ? 'is' : 'are'} forgotten, and clients are told the flags of all messages anew`);
    if (isInOrder && changes.length === 0) return [];
    return [{ account: addressOf(tables, entry.account), mailbox: entry.name, text: ['the mailbox was counted anew', ...changes].join('; ') }];
  });
}

/**
 * By UID; of two with one UID the second gets a new one, since clients know the first. Where changes of flags are forgotten all rows get a new mod-sequence:
 * a client may have seen any of these changes, and would keep what it has seen as long as it is told of no later one (RFC 7162, section 3.1.2). So it is above
 * theirs, too, though the mailbox says that it has not counted so far.
 */
function rowsInOrder(tables: Tables, entry: MailboxEntry, forgotten: readonly FlagRecord[]): { readonly rows: readonly MessageRow[]; readonly isInOrder: boolean } {
  const found: MessageRow[] = [];
  let isInOrder = true;
  for (const { key, value } of tables.rows.range(keysUnder([entry.id]))) {
    const before = found.length;
    applyRecords(entry.flagRecords ?? [], value);
    collectRows(value, { fromUid: 0, toUid: 2 ** 32 - 1, sinceModseq: -1 }, found);
    if (found.slice(before).some(({ uid }) => blockOf(uid) !== key[1])) isInOrder = false;
  }
  if (found.some(({ uid }, index) => uid <= (found[index - 1]?.uid ?? 0))) isInOrder = false;
  const taken = new Set<number>();
  let next = countedTo(entry, found).uidNext;
  const highest = Math.max(countedTo(entry, found).highestModseq, lastRemoval(tables, entry.id));
  const modseq = Math.max(highest, ...forgotten.map(([seen]) => seen).filter((seen) => Number.isInteger(seen) && seen <= highest + mostMissed)) + 1;
  const rows = found.map((row): MessageRow => {
    if (row.uid > 0 && !taken.has(row.uid)) {
      taken.add(row.uid);
      return forgotten.length === 0 ? row : { ...row, modseq };
    }
    next += 1;
    return { ...row, uid: next - 1, modseq };
  });
  return { rows: rows.toSorted((one, other) => one.uid - other.uid), isInOrder };
}

function isRecentRight(tables: Tables, id: number): boolean {
  const blocks = tables.rows.range(keysUnder([id])).map(({ key, value }) => `${String(highestModseq(value))} ${String(key[1])}`);
  const recent = tables.recent.range(keysUnder([id])).map(({ key }) => `${String(key[1])} ${String(key[2])}`);
  return blocks.sort().join() === recent.sort().join();
}

function writeRows(tables: Tables, id: number, rows: readonly MessageRow[]): void {
  for (const table of [tables.rows, tables.recent]) for (const { key } of table.range(keysUnder([id]))) table.remove(key);
  for (const [number, inBlock] of Map.groupBy(rows, ({ uid }) => blockOf(uid))) {
    saveBlock(tables, id, { number, block: inBlock.reduce<Buffer>((block, row) => withRow(block, row), emptyBlock) });
  }
}

/** How far a mailbox has counted that has these rows. They are no arguments of a function: 125,000 of these overflow V8's stack. */
function countedTo({ uidNext, highestModseq }: Pick<MailboxEntry, 'uidNext' | 'highestModseq'>, rows: readonly MessageRow[]): Pick<MailboxEntry, 'uidNext' | 'highestModseq'> {
  const to = { uidNext, highestModseq };
  for (const { uid, modseq } of rows) {
    to.uidNext = Math.max(to.uidNext, uid + 1);
    to.highestModseq = Math.max(to.highestModseq, modseq);
  }
  return to;
}

/** @param removedAt mod-sequence of the last removal */
function recounted(entry: MailboxEntry, rows: readonly MessageRow[], removedAt: number): MailboxEntry {
  const { uidNext, highestModseq } = countedTo(entry, rows);
  return {
    ...entry,
    messages: rows.length,
    unseen: rows.filter(({ flags }) => (flags & Flag.Seen) === 0).length,
    deleted: rows.filter(({ flags }) => (flags & Flag.Deleted) !== 0).length,
    bytes: rows.reduce((sum, { size }) => sum + size, 0),
    uidNext,
    highestModseq: Math.max(highestModseq, removedAt),
    ...(entry.recentFrom === undefined ? {} : { recentFrom: Math.min(entry.recentFrom, uidNext) }),
  };
}

/** A mailbox of which only the rows are left is made anew around them, under the name that leads to it; its keywords have lost their names. */
export async function remakeMailbox({ environment, tables }: Volume, id: number, owner: string | undefined): Promise<readonly Mended[]> {
  return environment.write(() => {
    const rows = tables.rows.range(keysUnder([id]));
    if (getMailbox(tables, id) !== undefined || rows.length === 0) return [];
    const named = tables.names.range(keysUnder([])).find(({ value }) => Number(value.toString()) === id);
    const account = named === undefined ? accountsIn(tables).find(({ address }) => address === owner) : accountsIn(tables).find(({ number }) => number === named.key[0]);
    if (account === undefined) return [];
    const name = named === undefined ? freeName(tables, account.number, `Mailbox ${String(id)}`) : String(named.key[1]);
    const entry: MailboxEntry = {
      id, account: account.number, name, mailboxId: `F${randomBytes(15).toString('base64url')}`, uidValidity: newUidValidity(tables), uidNext: 1, highestModseq: 1,
      messages: 0, unseen: 0, deleted: 0, bytes: 0, specialUse: null,
      keywords: Array.from({ length: usedKeywords }, (_, index) => `lost-keyword-${String(index + 1)}`),
    };
    putMailbox(tables, entry);
    putName(tables, entry);
    return [{ account: account.address, mailbox: name, text: 'the mailbox was made anew around its messages, under a new UIDVALIDITY' }];
  });
}

/** Names that lead nowhere go, mailboxes that have none get theirs back, or one below the lost and found; those of no account go to their owner. */
export async function mendNames({ environment, tables }: Volume, id: number, owner: string | undefined): Promise<readonly Mended[]> {
  return environment.write(() => {
    const entry = getMailbox(tables, id);
    if (entry === undefined) return [];
    const accounts = accountsIn(tables);
    const account = accounts.find(({ number }) => number === entry.account) ?? accounts.find(({ address }) => address === owner);
    if (account === undefined || (account.number === entry.account && mailboxIdOf(tables, entry.account, entry.name) === id)) return [];
    const holder = mailboxIdOf(tables, account.number, entry.name);
    const name = holder === undefined || getMailbox(tables, holder) === undefined || holder === id ? entry.name : freeName(tables, account.number, entry.name);
    const named = { ...entry, account: account.number, name };
    putMailbox(tables, named);
    putName(tables, named);
    return [{ account: account.address, mailbox: name, text: 'the mailbox is found by this name again' }];
  });
}

/** Names of the account that lead to no mailbox of that name. */
export async function dropDeadNames({ environment, tables }: Volume, account: number): Promise<readonly Mended[]> {
  return environment.write(() => tables.names.range(keysUnder([account])).flatMap(({ key, value }): Mended[] => {
    const entry = getMailbox(tables, Number(value.toString()));
    if (entry?.account === account && entry.name === key[1]) return [];
    tables.names.remove(key);
    return [{ account: addressOf(tables, account), mailbox: String(key[1]), text: 'a name that led to no mailbox of that name is removed' }];
  }));
}

/** The account is charged with what its mailboxes have. */
export async function mendUse({ environment, tables }: Volume, number: number): Promise<readonly Mended[]> {
  return environment.write(() => {
    const account = accountsIn(tables).find((one) => one.number === number);
    if (account === undefined || account.arriving !== undefined) return [];
    let [bytes, messages, entries] = [0, 0, 0];
    for (const { value } of tables.mailboxes.range(keysUnder([]))) {
      const entry = JSON.parse(value.toString()) as MailboxEntry;
      if (entry.account === number) [bytes, messages, entries] = [bytes + entry.bytes, messages + entry.messages, entries + (entry.rights?.length ?? 0)];
    }
    const rights = account.rights === undefined ? undefined : entries;
    if (bytes === account.bytes && messages === account.messages && rights === account.rights) return [];
    putAccount(tables, { ...account, bytes, messages, ...definite({ rights }) });
    return [{ account: account.address, text: `the account is charged with ${counted(bytes, 'byte')}, ${counted(messages, 'message')}, ${counted(entries, 'entry', 'entries')} of rights; it was with ${String(account.bytes)}, ${String(account.messages)}, ${String(account.rights ?? entries)}` }];
  });
}

/** Inside `write` or `read`. */
export function accountsIn(tables: Tables): readonly AccountEntry[] {
  return tables.accounts.range(keysUnder([])).map(({ value }) => JSON.parse(value.toString()) as AccountEntry);
}

function addressOf(tables: Tables, account: number): string | undefined {
  return accountsIn(tables).find(({ number }) => number === account)?.address;
}

function freeName(tables: Tables, account: number, wanted: string): string {
  const name = `${lostAndFound}/${wanted}`;
  for (let count = 1; ; count += 1) {
    const tried = count === 1 ? name : `${name} (${String(count)})`;
    if (mailboxIdOf(tables, account, tried) === undefined) return tried;
  }
}
