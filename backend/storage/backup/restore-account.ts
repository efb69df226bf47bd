/**
 * Brings an account, or one of its mailboxes, back from a backup into a node that works. Nothing is overwritten, and a second
 * run adds nothing: what the account has is left as it is.
 *
 * Which UIDs: a mailbox that the account does not have any more comes back as it was, with its UIDVALIDITY and UIDs, and counts on
 * from beyond everything that clients can have seen since the backup; so what they have cached holds. Into a mailbox that is there
 * messages come as new ones: a UID that was expunged is never given again (RFC 9051 section 2.3.1.1).
 */
import { definite } from '../../../shared/base/definite.ts';
import { Failure } from '../../../shared/base/failure.ts';
import { AccountChange, changeAccount } from '../account-change.ts';
import { StoredAccount } from '../account.ts';
import { putAnnotations } from '../annotations.ts';
import { getAccount, getLocalName, getRetiredName, keywordNames, mailboxIdOf, putAccount, putActs, putLocalName, putMailbox, putName } from '../entries.ts';
import type { AccountEntry, MailboxEntry, RetiredName } from '../entries.ts';
import { keysUnder } from '../environment.ts';
import { noteGrants } from '../grants.ts';
import { Flag } from '../interface.ts';
import type { MessageRow } from '../interface.ts';
import { nextNumber, noValue } from '../keys.ts';
import { mailboxesOf, snapshotOf } from '../leaving-account.ts';
import { canonicalName, compareNames } from '../mailbox-name.ts';
import { giveRights } from '../mailbox-rights.ts';
import { allRows } from '../mailbox-rows.ts';
import { createMailbox, makeAbove } from '../mailbox-tree.ts';
import { specialUsesOf } from '../special-use.ts';
import type { AccountSnapshot } from '../transfers.ts';
import { noteUidValidity } from '../uid-validity.ts';
import type { Volume } from '../volume.ts';
import { bring, enter } from './restored-messages.ts';
import type { Brought, Bringing } from './restored-messages.ts';

export interface RestoreOrder {
  readonly address: string;
  /** Only this mailbox and those below it; all when absent. */
  readonly mailbox: string | undefined;
  /** Where the account lies in the backup. */
  readonly source: Volume;
  /** Where it lies, or is to lie, on this node. */
  readonly target: Volume;
  readonly report: (text: string, done: { readonly messages: number; readonly of: number }) => void;
  readonly signal: AbortSignal;
}

export interface RestoredMailbox {
  readonly name: string;
  /** `as-it-was`: with its UIDs; `anew`: made under a new UIDVALIDITY; `filled`: it was there, and got what it lacked under new UIDs. */
  readonly how: 'as-it-was' | 'anew' | 'filled';
  readonly messages: number;
  /** UIDs, in the backup, of messages whose bytes the backup has not whole. */
  readonly damaged: readonly number[];
}

export interface RestoredAccount {
  readonly account: 'made' | 'there';
  readonly mailboxes: readonly RestoredMailbox[];
}

/** More than any mailbox gets between a backup and its loss. */
const uidGap = 100_000;
const modseqGap = 2 ** 32;
/** Messages that enter by one transaction, where they need not be there all at once. */
const pageMessages = 200;

/** Throws `unknown-user` when the backup has no mail of the account, `mailbox-missing`, `not-kept-here`, `in-use`, `forbidden`, `over-quota`, `storage-full`, `storage-failure`. */
export async function restoreAccount(order: RestoreOrder): Promise<RestoredAccount> {
  const { address, source, target } = order;
  const snapshot = snapshotOf(source, address);
  const wanted = chosen(snapshot.mailboxes, order.mailbox);
  const of = wanted.reduce((sum, { messages }) => sum + messages, 0);
  const mailboxes: RestoredMailbox[] = [];
  let done = 0;
  const next = (entry: MailboxEntry): void => {
    order.signal.throwIfAborted();
    order.report(`brings back ${entry.name}`, { messages: done, of });
    done += entry.messages;
  };
  const isNew = target.environment.read(() => getAccount(target.tables, address)) === undefined;
  const [inbox] = wanted;
  if (isNew && (order.mailbox !== undefined || inbox?.name !== 'INBOX')) throw new Failure('unknown-user', 'there is no such account on this node: restore all of it first');
  if (isNew && inbox !== undefined) {
    next(inbox);
    mailboxes.push(await makeAccount(order, snapshot, inbox));
  }
  for (const entry of isNew ? wanted.slice(1) : wanted) {
    next(entry);
    mailboxes.push(await restoreMailbox(order, snapshot, entry));
  }
  return { account: isNew ? 'made' : 'there', mailboxes };
}

function chosen(mailboxes: readonly MailboxEntry[], name: string | undefined): readonly MailboxEntry[] {
  const sorted = mailboxes.toSorted((one, other) => compareNames(one.name, other.name));
  if (name === undefined) return sorted;
  const wanted = canonicalName(name);
  const found = sorted.filter((entry) => entry.name === wanted || entry.name.startsWith(`${wanted}/`));
  if (found.length === 0) throw new Failure('mailbox-missing', `the backup has no mailbox ${name} of this account`);
  return found;
}

/** The account's record, with what the backup knows of it, and INBOX, in one transaction. Sign-ins that were made before hold no more. */
async function makeAccount(order: RestoreOrder, snapshot: AccountSnapshot, inbox: MailboxEntry): Promise<RestoredMailbox> {
  const { address, target } = order;
  const { brought, damaged } = await bring(bringingOf(order, inbox), rowsOf(order.source, inbox));
  try {
    const account = await target.environment.write(() => {
      if (getAccount(target.tables, address) !== undefined) throw new Failure('in-use', 'the account was made meanwhile; run the command again');
      const { id, password, terms, limits, directoryLimits, aliases = [] } = snapshot;
      const free = aliases.filter((alias) => getLocalName(target.tables, alias) === undefined && getAccount(target.tables, alias) === undefined);
      const entry: AccountEntry = {
        number: nextNumber(target.tables, 'account'), id, address, epoch: snapshot.epoch + 1, sessionEpoch: snapshot.sessionEpoch + 1, bytes: 0, messages: 0,
        ...definite({ password, terms, limits, directoryLimits, aliases: free.length === 0 ? undefined : free }),
      };
      putAccount(target.tables, entry);
      putActs(target.tables, entry.number, snapshot.acts ?? []);
      for (const alias of free) putLocalName(target.tables, alias, { kind: 'alias', account: address });
      for (const name of snapshot.subscriptions) target.tables.subscriptions.put([entry.number, name], noValue);
      const change = new AccountChange(new StoredAccount(target, entry));
      change.bringBack();
      reviveMailbox(order, change, { entry: inbox, brought, seen: undefined });
      annotate(order, change, { snapshot, entry: inbox, alsoOf: 'account' });
      change.save();
      return entry;
    });
    target.hints.publish({ account: account.id });
    return { name: inbox.name, how: 'as-it-was', messages: brought.length, damaged };
  } finally {
    for (const { staged } of brought) staged?.done();
  }
}

async function restoreMailbox(order: RestoreOrder, snapshot: AccountSnapshot, entry: MailboxEntry): Promise<RestoredMailbox> {
  const { target, address } = order;
  const { account, live, seen } = target.environment.read(() => {
    const record = requireLive(target, address);
    const known = mailboxesOf(target, record.number);
    return {
      account: new StoredAccount(target, record),
      live: known.find(({ mailboxId }) => mailboxId === entry.mailboxId) ?? known.find(({ name }) => name === entry.name),
      seen: getRetiredName(target.tables, record.number, entry.name),
    };
  });
  if (live !== undefined) return fillMailbox(order, account, { snapshot, entry, live });
  const asItWas = seen === undefined || seen.uidValidity <= entry.uidValidity;
  const { brought, damaged } = await bring(bringingOf(order, entry), rowsOf(order.source, entry));
  try {
    await changeAccount(account, (change) => {
      change.bringBack();
      if (mailboxIdOf(target.tables, change.number, entry.name) !== undefined) throw new Failure('in-use', 'the mailbox was made meanwhile; run the command again');
      if (asItWas) reviveMailbox(order, change, { entry, brought, seen });
      else addAll(change, makeAnew(order, change, entry), { keywords: entry.keywords, brought });
      annotate(order, change, { snapshot, entry, alsoOf: 'nothing' });
      if (snapshot.subscriptions.includes(entry.name)) target.tables.subscriptions.put([change.number, entry.name], noValue);
      change.noteListChange();
    });
    return { name: entry.name, how: asItWas ? 'as-it-was' : 'anew', messages: brought.length, damaged };
  } finally {
    for (const { staged } of brought) staged?.done();
  }
}

/** An empty mailbox with what was set for the one of the backup. */
function makeAnew({ target }: RestoreOrder, change: AccountChange, entry: MailboxEntry): number {
  const id = createMailbox(change, entry.name, freeUses(target, change.number, entry));
  giveRights(change, id, entry.rights ?? []);
  return id;
}

interface Filling {
  readonly snapshot: AccountSnapshot;
  readonly entry: MailboxEntry;
  readonly live: MailboxEntry;
}

/** What the mailbox lacks comes in under new UIDs, in pages. */
async function fillMailbox(order: RestoreOrder, account: StoredAccount, { snapshot, entry, live }: Filling): Promise<RestoredMailbox> {
  const kept = keptMessages(order, account, { snapshot, live });
  const missing = rowsOf(order.source, entry).filter(({ messageId, flags }) => !kept.has(messageId) && (flags & Flag.Deleted) === 0);
  const damaged: number[] = [];
  let messages = 0;
  for (let at = 0; at < missing.length; at += pageMessages) {
    order.signal.throwIfAborted();
    const page = await bring(bringingOf(order, entry), missing.slice(at, at + pageMessages));
    damaged.push(...page.damaged);
    try {
      await changeAccount(account, (change) => addAll(change, live.id, { keywords: entry.keywords, brought: page.brought }));
      messages += page.brought.length;
    } finally {
      for (const { staged } of page.brought) staged?.done();
    }
  }
  return { name: live.name, how: 'filled', messages, damaged };
}

/** Messages that the mailbox has, or that were moved since the backup to another one that is not the Trash. */
function keptMessages({ source, target }: RestoreOrder, account: StoredAccount, { snapshot, live }: Omit<Filling, 'entry'>): ReadonlySet<number> {
  const kept = new Set<number>();
  for (const mailbox of target.environment.read(() => mailboxesOf(target, account.number))) {
    if (mailbox.id !== live.id && specialUsesOf(mailbox).includes('\\Trash')) continue;
    const before = mailbox.id === live.id ? undefined : snapshot.mailboxes.find(({ mailboxId, name }) => mailboxId === mailbox.mailboxId || name === mailbox.name);
    const had = new Set(before === undefined ? [] : rowsOf(source, before).map(({ messageId }) => messageId));
    for (const { messageId } of rowsOf(target, mailbox)) if (!had.has(messageId)) kept.add(messageId);
  }
  return kept;
}

function addAll(change: AccountChange, mailboxId: number, { keywords, brought }: { readonly keywords: readonly string[]; readonly brought: readonly Brought[] }): void {
  const mailbox = change.mailbox(mailboxId);
  const nowMs = Date.now();
  for (const one of brought) {
    const { flags, size, internalDateMs, keywords: bits } = one.row;
    mailbox.add({ flags, size, internalDateMs, savedDateMs: nowMs, keywords: mailbox.keywordBits(keywordNames(keywords, bits), 'left-out'), ...enter(change, one) });
  }
}

/** Makes the mailbox as it was; all its rows count as changed, so that clients who know a later state learn the one that holds now. */
function reviveMailbox({ source, target }: RestoreOrder, change: AccountChange, { entry, brought, seen }: { readonly entry: MailboxEntry; readonly brought: readonly Brought[]; readonly seen: RetiredName | undefined }): void {
  const { tables } = target;
  makeAbove(change, entry.name);
  const isKnown = seen?.uidValidity === entry.uidValidity;
  const highestModseq = isKnown ? Math.max(seen.highestModseq, entry.highestModseq) : entry.highestModseq + modseqGap;
  const { urlKey: _before, ...kept } = entry; // a URL that was taken back since the backup must not hold again
  const made: MailboxEntry = {
    ...kept, id: nextNumber(tables, 'mailbox'), account: change.number, uidNext: 1, highestModseq, messages: 0, unseen: 0, deleted: 0, bytes: 0, specialUse: freeUses(target, change.number, entry).join(' ') || null, recentFrom: entry.recentFrom ?? entry.uidNext,
  };
  noteUidValidity(tables, made.uidValidity);
  putMailbox(tables, made);
  putName(tables, made);
  noteGrants(tables, made, change.address);
  const mailbox = change.begin(made);
  for (const one of brought) {
    const { uid, modseq: _before, ...row } = one.row;
    mailbox.add({ ...row, ...enter(change, one) }, uid);
  }
  mailbox.skipTo(Math.min(isKnown ? Math.max(seen.uidNext, entry.uidNext) : entry.uidNext + uidGap, 2 ** 32 - 1));
  const lost = { first: entry.uidNext, last: mailbox.entry.uidNext - 1 };
  for (const { key, value } of source.environment.read(() => source.tables.expunged.range(keysUnder([entry.id])))) tables.expunged.put([made.id, Number(key[1])], value);
  if (lost.first <= lost.last) mailbox.noteGone(lost);
}

/** A mailbox that was made has the annotations that it had; with INBOX a new account gets its own. */
function annotate({ target }: RestoreOrder, change: AccountChange, { snapshot, entry, alsoOf }: { readonly snapshot: AccountSnapshot; readonly entry: MailboxEntry; readonly alsoOf: 'account' | 'nothing' }): void {
  const id = mailboxIdOf(target.tables, change.number, entry.name);
  const records = (snapshot.annotations ?? []).filter(({ mailbox }) => mailbox === entry.mailboxId || (mailbox === undefined && alsoOf === 'account'));
  if (id !== undefined) putAnnotations(target.tables, change.number, { records, mailboxes: new Map([[entry.mailboxId, id]]) });
}

/** The special uses of the mailbox that no other has by now. */
function freeUses(target: Volume, account: number, entry: MailboxEntry): readonly string[] {
  const taken = new Set(mailboxesOf(target, account).flatMap(specialUsesOf));
  return specialUsesOf(entry).filter((use) => !taken.has(use));
}

function requireLive(volume: Volume, address: string): AccountEntry {
  const entry = getAccount(volume.tables, address);
  if (entry === undefined) throw new Failure('unknown-user', 'there is no such account here');
  if (entry.movedTo !== undefined) throw new Failure('not-kept-here', `the account lives on ${entry.movedTo}`, { node: entry.movedTo });
  if (entry.arriving !== undefined) throw new Failure('in-use', 'the account is being moved to here');
  if (entry.withdrawn !== undefined) throw new Failure('forbidden', 'the account is out of use: take it up again first (waybill account undelete)');
  return entry;
}

function rowsOf({ environment, tables }: Volume, { id }: MailboxEntry): MessageRow[] {
  return environment.read(() => allRows(tables, id));
}

function bringingOf({ source, target, address }: RestoreOrder, { name, keywords }: MailboxEntry): Bringing {
  return { source, target, address, mailbox: name, keywords };
}
