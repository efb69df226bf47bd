/** Makes, renames and deletes the mailboxes of an account. All functions run inside a transaction. */
import { randomBytes } from 'node:crypto';
import { Failure } from '../../shared/base/failure.ts';
import { forgetOldNames } from './account-bounds.ts';
import type { AccountChange } from './account-change.ts';
import { copyAnnotations, dropAnnotations, noteUsesOfNew } from './annotations.ts';
import { moveMessages } from './copy-move.ts';
import { entriesBelow, entriesOf, getMailbox, getRetiredName, mailboxIdOf, putMailbox, putName, retireName } from './entries.ts';
import type { MailboxEntry } from './entries.ts';
import { keysUnder } from './environment.ts';
import { dropGrants, noteGrants } from './grants.ts';
import { nextNumber, noValue } from './keys.ts';
import { checkedName, namesAbove } from './mailbox-name.ts';
import { allRows } from './mailbox-rows.ts';
import type { Tables } from './keys.ts';
import type { RightsEntry } from './rights.ts';
import { usesForNew } from './special-use.ts';
import { newUidValidity } from './uid-validity.ts';
import type { Volume } from './volume.ts';

/** The first part of the names of levels below. */
const below = (name: string): string => `${name}/`;

/** Makes a mailbox and the levels above it that are missing; answers its id. Throws `mailbox-exists`, `bad-input`, `use-refused`. */
export function createMailbox(change: AccountChange, wanted: string, specialUses: readonly string[]): number {
  const name = checkedName(wanted);
  if (mailboxIdOf(change.volume.tables, change.number, name) !== undefined) throw new Failure('mailbox-exists', 'mailbox exists already');
  const specialUse = usesForNew(change, specialUses);
  makeAbove(change, name);
  if (specialUse !== null) noteUsesOfNew(change.volume.tables, change.number);
  return make(change, name, specialUse);
}

/** Renames with all levels below; INBOX stays and its messages move. Throws `mailbox-missing`, `mailbox-exists`, `bad-input`. */
export function renameMailbox(change: AccountChange, from: string, wanted: string): void {
  const entry = requireMailbox(change, from);
  const to = checkedName(wanted);
  if (mailboxIdOf(change.volume.tables, change.number, to) !== undefined) throw new Failure('mailbox-exists', 'mailbox exists already');
  if (entry.name === 'INBOX') return renameInbox(change, entry, to);
  if (to.startsWith(below(entry.name))) throw new Failure('bad-input', 'a mailbox cannot be moved below itself');
  const moving = [entry, ...entriesBelow(change.volume.tables, entry)];
  for (const each of moving) retireName(change.volume.tables, each);
  forgetOldNames(change.volume, change.number);
  makeAbove(change, to);
  for (const each of moving) rename(change, each, checkedName(to + each.name.slice(entry.name.length)));
}

/** Deletes the mailbox with its messages; levels below stay. Throws `forbidden` for INBOX, `mailbox-missing`. */
export function deleteMailbox(change: AccountChange, wanted: string): void {
  const entry = requireMailbox(change, wanted);
  if (entry.name === 'INBOX') throw new Failure('forbidden', 'INBOX cannot be deleted');
  dropMailbox(change, entry);
}

/** All mailboxes of an account with their messages, as when the account begins afresh. */
export function dropAllMailboxes(change: AccountChange): void {
  for (const entry of entriesOf(change.volume.tables, change.number)) dropMailbox(change, entry);
}

/** Frees a mailbox's messages and forgets all but its name. */
export function dropMessages({ tables, messages }: Volume, mailbox: number): void {
  for (const row of allRows(tables, mailbox)) messages.release(row.messageId);
  forgetRows(tables, mailbox);
  const entry = getMailbox(tables, mailbox);
  if (entry !== undefined) {
    dropAnnotations(tables, entry);
    dropGrants(tables, entry);
  }
  tables.mailboxes.remove([mailbox]);
}

/** Their messages are another mailbox's, or released. */
export function forgetRows({ rows, recent, expunged }: Tables, mailbox: number): void {
  for (const table of [rows, recent, expunged]) {
    for (const { key } of table.range(keysUnder([mailbox]))) table.remove(key);
  }
}

function dropMailbox(change: AccountChange, entry: MailboxEntry): void {
  const { tables } = change.volume;
  dropMessages(change.volume, entry.id);
  retireName(tables, entry);
  forgetOldNames(change.volume, change.number);
  change.forget(entry);
}

function renameInbox(change: AccountChange, inbox: MailboxEntry, to: string): void {
  makeAbove(change, to);
  const target = make(change, to, null);
  const uids = allRows(change.volume.tables, inbox.id).map((row) => row.uid);
  moveMessages(change, { source: inbox.id, target, uids });
  copyAnnotations(change.volume.tables, change.number, { from: inbox.id, to: target });
}

function rename(change: AccountChange, entry: MailboxEntry, to: string): void {
  const { tables } = change.volume;
  if (mailboxIdOf(tables, change.number, to) !== undefined) throw new Failure('mailbox-exists', 'mailbox exists already');
  // A client that knew an earlier mailbox of this name must not take its numbers for this one's (RFC 9051 section 2.3.1.1).
  const earlier = getRetiredName(tables, change.number, to);
  const uidValidity = earlier !== undefined && earlier.uidValidity > entry.uidValidity ? newUidValidity(tables) : entry.uidValidity;
  const renamed = { ...entry, name: to, uidValidity };
  putMailbox(tables, renamed);
  putName(tables, renamed);
  if (tables.subscriptions.get([change.number, entry.name]) !== undefined) {
    tables.subscriptions.remove([change.number, entry.name]);
    tables.subscriptions.put([change.number, to], noValue);
  }
  change.noteListChange();
}

/** Makes the levels above a name that are missing. */
export function makeAbove(change: AccountChange, name: string): void {
  for (const above of namesAbove(name)) {
    if (mailboxIdOf(change.volume.tables, change.number, above) === undefined) make(change, above, null);
  }
}

function make(change: AccountChange, name: string, specialUse: string | null): number {
  const { tables } = change.volume;
  const earlier = getRetiredName(tables, change.number, name);
  const rights = rightsAtBirth(change, name);
  const entry: MailboxEntry = {
    ...freshEntry(change, name),
    uidNext: earlier?.uidNext ?? 1,
    highestModseq: (earlier?.highestModseq ?? 0) + 1,
    specialUse,
    ...(rights.length === 0 ? {} : { rights }),
  };
  putMailbox(tables, entry);
  putName(tables, entry);
  noteGrants(tables, entry, change.address);
  change.begin(entry);
  return entry.id;
}

/** An empty mailbox that nobody knew before; it is not put into the index. */
export function freshEntry({ volume: { tables }, number }: AccountChange, name: string): MailboxEntry {
  return {
    id: nextNumber(tables, 'mailbox'), account: number, name,
    mailboxId: `F${randomBytes(15).toString('base64url')}`,
    uidValidity: newUidValidity(tables), uidNext: 1, highestModseq: 1,
    messages: 0, unseen: 0, deleted: 0, bytes: 0, keywords: [], specialUse: null,
  };
}

/** As the folder above has them (RFC 4314 section 4, CREATE); those that hold for subfolders anyway are not copied. */
function rightsAtBirth(change: AccountChange, name: string): readonly RightsEntry[] {
  const above = namesAbove(name).at(-1);
  const id = above === undefined ? undefined : mailboxIdOf(change.volume.tables, change.number, above);
  const entry = id === undefined ? undefined : getMailbox(change.volume.tables, id);
  return entry?.rights?.filter(({ scope }) => scope === 'folder') ?? [];
}

function requireMailbox(change: AccountChange, name: string): MailboxEntry {
  const id = mailboxIdOf(change.volume.tables, change.number, checkedName(name));
  const entry = id === undefined ? undefined : getMailbox(change.volume.tables, id);
  if (entry === undefined) throw new Failure('mailbox-missing', 'mailbox does not exist');
  return entry;
}
