/** Whether the index of a storage agrees with itself: counters, names, uids, mod-sequences, and which messages its rows name. */
import { counted } from '../../../shared/base/counted.ts';
import type { AccountEntry, MailboxEntry } from '../entries.ts';
import { keysUnder } from '../environment.ts';
import { grantedTo } from '../grants.ts';
import { Flag } from '../interface.ts';
import type { MessageRow } from '../interface.ts';
import type { Tables } from '../keys.ts';
import { applyRecords, bySoundness } from '../flag-records.ts';
import { lastRemoval } from '../mailbox-rows.ts';
import { collectRows, highestModseq } from '../row-block.ts';
import { breathe, pagesOf } from '../table-pages.ts';
import type { Finding, Findings } from './findings.ts';

/** How often rows name a message, and with which size. */
export type Named = Map<number, { times: number; readonly size: number }>;

export interface IndexTally {
  readonly accounts: number;
  readonly mailboxes: number;
  readonly messages: number;
  readonly bytes: number;
  readonly named: Named;
}

export async function checkIndex(tables: Tables, findings: Findings): Promise<IndexTally> {
  const accounts = new Map<number, AccountEntry>();
  for await (const page of pagesOf(tables.accounts)) for (const { value } of page) noteAccount(accounts, JSON.parse(value.toString()) as AccountEntry);
  const used = new Map<number, Use>();
  const named: Named = new Map();
  let [mailboxes, messages, bytes] = [0, 0, 0];
  for await (const page of pagesOf(tables.mailboxes)) {
    for (const { value } of page) {
      const entry = JSON.parse(value.toString()) as MailboxEntry;
      const account = accounts.get(entry.account);
      const rows = checkMailbox(tables, { entry, account, findings });
      for (const row of rows) name(named, row);
      const sum = used.get(entry.account) ?? unused;
      used.set(entry.account, { bytes: sum.bytes + entry.bytes, messages: sum.messages + entry.messages, rights: sum.rights + (entry.rights?.length ?? 0) });
      mailboxes += 1;
      messages += rows.length;
      bytes += rows.reduce((total, { size }) => total + size, 0);
      await breathe();
    }
  }
  await checkAnnotations(tables, accounts, findings);
  await checkNames(tables, accounts, findings);
  await checkLeftOver(tables, findings);
  await checkGrants(tables, accounts, findings);
  for (const account of accounts.values()) checkUse(account, used.get(account.number) ?? unused, findings);
  return { accounts: accounts.size, mailboxes, messages, bytes, named };
}

/** What an account's record counts. */
interface Use {
  readonly bytes: number;
  readonly messages: number;
  readonly rights: number;
}

const unused: Use = { bytes: 0, messages: 0, rights: 0 };

function noteAccount(accounts: Map<number, AccountEntry>, entry: AccountEntry): void {
  accounts.set(entry.number, entry);
}

function name(named: Named, { messageId, size }: MessageRow): void {
  const known = named.get(messageId);
  if (known === undefined) named.set(messageId, { times: 1, size });
  else known.times += 1;
}

interface MailboxOfCheck {
  readonly entry: MailboxEntry;
  readonly account: AccountEntry | undefined;
  readonly findings: Findings;
}

function checkMailbox(tables: Tables, { entry, account, findings }: MailboxOfCheck): readonly MessageRow[] {
  const where = { account: account?.address, mailbox: entry.name, at: { account: entry.account, mailbox: entry.id } };
  if (account === undefined) findings.add({ kind: 'orphan-mailbox', ...where, text: `mailbox ${entry.name} belongs to no account` });
  const { sound, unsound } = bySoundness(entry);
  for (const record of unsound) findings.add({ kind: 'changes-wrong', ...where, text: `the change of flags at ${String(record[0])} is not told rightly` });
  const rows: MessageRow[] = [];
  const blocks: string[] = [];
  for (const { key, value } of tables.rows.range(keysUnder([entry.id]))) {
    blocks.push(`${String(highestModseq(value))} ${String(key[1])}`);
    applyRecords(sound, value);
    collectRows(value, { fromUid: 0, toUid: 2 ** 32 - 1, sinceModseq: -1 }, rows);
  }
  const recent = tables.recent.range(keysUnder([entry.id])).map(({ key }) => `${String(key[1])} ${String(key[2])}`);
  if (recent.toSorted().join() !== blocks.toSorted().join()) findings.add({ kind: 'changes-wrong', ...where, text: 'what changed lately is not told rightly' });
  const falling = rows.find(({ uid }, index) => uid <= (rows[index - 1]?.uid ?? 0));
  if (falling !== undefined) findings.add({ kind: 'uids-wrong', ...where, uid: falling.uid, text: `UID ${String(falling.uid)} does not follow the one before` });
  if (account?.arriving === undefined) { // what is on its way has the numbers of its source
    checkCounters(entry, rows, { where, findings });
    const removed = lastRemoval(tables, entry.id);
    if (removed > entry.highestModseq) findings.add({ kind: 'modseq-wrong', ...where, text: `HIGHESTMODSEQ is ${String(entry.highestModseq)}, and messages were removed at ${String(removed)}` });
  }
  return rows;
}

function checkCounters(entry: MailboxEntry, rows: readonly MessageRow[], { where, findings }: { readonly where: Pick<Finding, 'account' | 'mailbox' | 'at'>; readonly findings: Findings }): void {
  const found = {
    messages: rows.length,
    unseen: rows.filter(({ flags }) => (flags & Flag.Seen) === 0).length,
    deleted: rows.filter(({ flags }) => (flags & Flag.Deleted) !== 0).length,
    bytes: rows.reduce((sum, { size }) => sum + size, 0),
  };
  for (const counter of ['messages', 'unseen', 'deleted', 'bytes'] as const) {
    if (entry[counter] !== found[counter]) findings.add({ kind: 'counters-wrong', ...where, text: `${counter}: ${String(entry[counter])} by the counter, ${String(found[counter])} there` });
  }
  const last = rows.at(-1)?.uid ?? 0;
  if (last >= entry.uidNext) findings.add({ kind: 'uids-wrong', ...where, uid: last, text: `UIDNEXT is ${String(entry.uidNext)}, and there is UID ${String(last)}` });
  if (entry.recentFrom !== undefined && entry.recentFrom > entry.uidNext) findings.add({ kind: 'uids-wrong', ...where, text: `UIDNEXT is ${String(entry.uidNext)}, and sessions were told of all UIDs below ${String(entry.recentFrom)}` });
  const highest = rows.reduce((most, { modseq }) => Math.max(most, modseq), 0);
  if (highest > entry.highestModseq) findings.add({ kind: 'modseq-wrong', ...where, text: `HIGHESTMODSEQ is ${String(entry.highestModseq)}, and a message has ${String(highest)}` });
}

/** A name leads to the mailbox that bears it, and each mailbox of an account is found by its name. */
async function checkNames(tables: Tables, accounts: ReadonlyMap<number, AccountEntry>, findings: Findings): Promise<void> {
  const reached = new Set<number>();
  for await (const page of pagesOf(tables.names)) {
    for (const { key: [account, mailbox], value } of page) {
      const id = Number(value.toString());
      const bearer = tables.mailboxes.get([id]);
      const entry = bearer === undefined ? undefined : JSON.parse(bearer.toString()) as MailboxEntry;
      if (entry?.account === account && entry?.name === mailbox) reached.add(id);
      else findings.add({ kind: 'names-wrong', account: accounts.get(Number(account))?.address, mailbox: String(mailbox), at: { account: Number(account) }, text: `the name ${String(mailbox)} leads to no mailbox of that name` });
    }
  }
  for await (const page of pagesOf(tables.mailboxes)) {
    for (const { key: [id], value } of page) {
      if (reached.has(Number(id))) continue;
      const entry = JSON.parse(value.toString()) as MailboxEntry;
      findings.add({ kind: 'names-wrong', account: accounts.get(entry.account)?.address, mailbox: entry.name, at: { account: entry.account, mailbox: entry.id }, text: `mailbox ${entry.name} is not found by its name` });
    }
  }
}

/** Each annotation is a mailbox's, or an account's as a whole, that is there. */
async function checkAnnotations(tables: Tables, accounts: ReadonlyMap<number, AccountEntry>, findings: Findings): Promise<void> {
  let last = '';
  for await (const page of pagesOf(tables.annotations)) {
    for (const { key: [number = 0, mailbox = 0] } of page) {
      const place = `${String(number)} ${String(mailbox)}`;
      if (place === last) continue;
      last = place;
      const account = accounts.get(Number(number));
      const bearer = mailbox === 0 ? undefined : tables.mailboxes.get([mailbox]);
      const isThere = mailbox === 0 ? account !== undefined : bearer !== undefined && (JSON.parse(bearer.toString()) as MailboxEntry).account === number;
      if (!isThere) findings.add({ kind: 'left-over', account: account?.address, text: `annotations of account ${String(number)}, mailbox ${String(mailbox)} that is not there` });
    }
  }
}

/** Each grant that the index of grants tells is one of a mailbox, under its owner's address, and none is missing there. */
async function checkGrants(tables: Tables, accounts: ReadonlyMap<number, AccountEntry>, findings: Findings): Promise<void> {
  const entryOf = (id: number): MailboxEntry | undefined => {
    const value = tables.mailboxes.get([id]);
    return value === undefined ? undefined : JSON.parse(value.toString()) as MailboxEntry;
  };
  const granted = (id: number): readonly string[] => grantedTo(entryOf(id) ?? {});
  for await (const page of pagesOf(tables.grants)) {
    for (const { key: [who, id], value } of page) {
      const owner = accounts.get(entryOf(Number(id))?.account ?? 0)?.address;
      if (owner !== undefined && owner !== value.toString()) findings.add({ kind: 'grants-wrong', account: owner, text: `mailbox ${String(id)} is said to be of ${value.toString()}, and is not` });
      if (!granted(Number(id)).includes(String(who))) findings.add({ kind: 'grants-wrong', text: `mailbox ${String(id)} is said to grant something to ${String(who)}, and does not` });
    }
  }
  for await (const page of pagesOf(tables.mailboxes)) {
    for (const { key: [id = 0] } of page) {
      const missing = granted(Number(id)).filter((who) => tables.grants.get([who, id]) === undefined);
      if (missing.length > 0) findings.add({ kind: 'grants-wrong', text: `mailbox ${String(id)} grants something to ${missing.join(', ')}, who would not be told` });
    }
  }
}

/** What a mailbox or a message that is gone should have taken along. */
async function checkLeftOver(tables: Tables, findings: Findings): Promise<void> {
  const places = [
    { table: tables.rows, of: [tables.mailboxes], owner: 'mailbox', what: 'rows of a mailbox' }, { table: tables.recent, of: [tables.mailboxes], owner: 'mailbox', what: 'changes of a mailbox' },
    { table: tables.expunged, of: [tables.mailboxes], owner: 'mailbox', what: 'expunged UIDs of a mailbox' }, { table: tables.structures, of: [tables.messages], owner: 'message', what: 'the structure of a message' },
    { table: tables.structureTexts, of: [tables.messages, tables.structures], owner: 'message', what: 'words for the structure of a message' },
    { table: tables.headerFields, of: [tables.messages, tables.structures], owner: 'message', what: 'header fields of a message' }, // these two an earlier version, which does not know them, leaves
  ];
  for (const { table, of, owner: kind, what } of places) {
    let last: number | string | undefined;
    for await (const page of pagesOf(table)) {
      for (const { key: [owner = 0] } of page) {
        if (owner === last) continue;
        last = owner;
        if (of.every((one) => one.get([owner]) === undefined)) findings.add({ kind: 'left-over', at: { [kind]: Number(owner) }, text: `${what} ${String(owner)} that is not there` });
      }
    }
  }
}

function checkUse({ number, address, bytes, messages, rights: known, arriving }: AccountEntry, there: Use, findings: Findings): void {
  const rights = known ?? there.rights;
  if (arriving !== undefined || (bytes === there.bytes && messages === there.messages && rights === there.rights)) return;
  findings.add({ kind: 'quota-wrong', account: address, at: { account: number }, text: `the account is charged with ${counted(bytes, 'byte')}, ${counted(messages, 'message')}, ${counted(rights, 'entry', 'entries')} of rights; its mailboxes have ${String(there.bytes)}, ${String(there.messages)}, ${String(there.rights)}` });
}
