/**
 * Annotations of mailboxes and of an account as a whole (IMAP METADATA, RFC 5464): named values beside the mail. Each bears the
 * number of the account's change that set it, so that sessions find out what is new by themselves. All functions but the class
 * run inside a transaction.
 */
import { Failure } from '../../shared/base/failure.ts';
import { changeAccount } from './account-change.ts';
import type { AccountChange, AccountHandle } from './account-change.ts';
import { getMailbox } from './entries.ts';
import { keysUnder } from './environment.ts';
import type { Annotation, AnnotationChange, AnnotationOutcome, AnnotationPlace, Annotations } from './interface.ts';
import type { Tables } from './keys.ts';
import { giveSpecialUses } from './special-use.ts';
import type { AnnotationRecord } from './transfers.ts';

/** Longest value, bytes; RFC 5464 section 4.1 demands 1024. */
export const longestAnnotationBytes = 32 * 1024;
/** Of one user in one mailbox, or in the account as a whole, those that are shared counting as the owner's; RFC 5464 section 4.1 demands 10. */
const mostInOnePlace = 100;
/** Names and values of an account, bytes. What others annotate for themselves must leave the owner, and each other, theirs. */
const mostBytes = { owner: 4 * 1024 * 1024, guest: 128 * 1024, guests: 2 * 1024 * 1024 };
const versionBytes = 8;
/** In keys, in the place of a mailbox's id: the account as a whole. Ids begin at 1. */
const wholeAccount = 0;

export class StoredAnnotations implements Annotations {
  readonly #account: AccountHandle;

  constructor(account: AccountHandle) {
    this.#account = account;
  }

  version(): number {
    const { environment, tables } = this.#account.volume;
    return environment.read(() => versionOf(tables, this.#account.number));
  }

  of({ mailbox, guest }: AnnotationPlace): readonly Annotation[] {
    const { environment, tables } = this.#account.volume;
    const found = environment.read(() => tables.annotations.range(keysUnder([this.#account.number, idOf(mailbox)])));
    return found.flatMap(({ key, value }) => (isSeenBy(guest, key) ? [annotationOf(String(key[3]), value)] : [])).sort((one, other) => (one.entry < other.entry ? -1 : 1));
  }

  everywhere(guest?: string): ReadonlyMap<number | 'account', ReadonlyMap<string, number>> {
    const { environment, tables } = this.#account.volume;
    const found = environment.read(() => tables.annotations.range(keysUnder([this.#account.number])));
    const places = new Map<number | 'account', Map<string, number>>();
    for (const { key, value } of found) {
      if (key.length < 4 || !isSeenBy(guest, key)) continue;
      const place = key[1] === wholeAccount ? 'account' : Number(key[1]);
      const entries = places.get(place) ?? new Map<string, number>();
      places.set(place, entries.set(String(key[3]), value.readDoubleLE(0)));
    }
    return places;
  }

  set(place: AnnotationPlace, change: AnnotationChange): Promise<AnnotationOutcome> {
    return changeAccount(this.#account, (account) => setAnnotations(account, place, change));
  }
}

function setAnnotations(change: AccountChange, place: AnnotationPlace, { values, specialUses }: AnnotationChange): AnnotationOutcome {
  const { number, volume: { tables } } = change;
  const id = idOf(place.mailbox);
  const modseq = id === wholeAccount ? undefined : change.mailbox(id).modseq; // the mailbox counts this change, too (RFC 7162 section 3.2)
  const version = versionOf(tables, number) + 1;
  for (const [entry, value] of values) {
    const key = [number, id, userOf(place, entry), entry];
    if (value === undefined) tables.annotations.remove(key);
    else tables.annotations.put(key, recordOf(version, value));
  }
  if (specialUses !== undefined && id !== wholeAccount) giveSpecialUses(change, id, specialUses);
  noteVersion(tables, number, version);
  refuseTooMany(tables, number, { id, users: new Set([...values].flatMap(([entry, value]) => (value === undefined ? [] : [userOf(place, entry)]))) });
  change.noteListChange();
  return { version, modseq };
}

/** All of an account is read: `mostBytes` together at most. */
function refuseTooMany(tables: Tables, account: number, { id, users }: { readonly id: number; readonly users: ReadonlySet<string> }): void {
  if (users.size === 0) return;
  const all = tables.annotations.range(keysUnder([account])).filter(({ key }) => key.length === 4);
  const bytesOf = (isCounted: (user: string) => boolean): number => all.reduce((sum, { key, value }) => (isCounted(String(key[2])) ? sum + String(key[3]).length + value.length : sum), 0);
  for (const user of users) {
    const count = all.filter(({ key }) => key[1] === id && key[2] === user).length;
    const tooLong = user === '' ? bytesOf((one) => one === '') > mostBytes.owner : bytesOf((one) => one === user) > mostBytes.guest || bytesOf((one) => one !== '') > mostBytes.guests;
    if (count > mostInOnePlace || tooLong) throw new Failure('limit', 'too many annotations');
  }
}

/** Those of a mailbox that is gone. */
export function dropAnnotations(tables: Tables, { id, account }: { readonly id: number; readonly account: number }): void {
  const gone = tables.annotations.range(keysUnder([account, id]));
  for (const { key } of gone) tables.annotations.remove(key);
  if (gone.length > 0) noteVersion(tables, account, versionOf(tables, account) + 1);
}

/** All of an account. */
export function dropAccountAnnotations(tables: Tables, account: number): void {
  for (const { key } of tables.annotations.range(keysUnder([account]))) tables.annotations.remove(key);
}

/** A new mailbox has a use, which is an annotation, too (RFC 6154 section 4): sessions are to look. */
export function noteUsesOfNew(tables: Tables, account: number): void {
  noteVersion(tables, account, versionOf(tables, account) + 1);
}

/** RENAME of INBOX: the new mailbox has what INBOX keeps (RFC 5464 section 4.1). Throws `limit` where that is too much for one account. */
export function copyAnnotations(tables: Tables, account: number, { from, to }: { readonly from: number; readonly to: number }): void {
  const copied = tables.annotations.range(keysUnder([account, from]));
  for (const { key: [, , user = '', entry = ''], value } of copied) tables.annotations.put([account, to, user, entry], value);
  refuseTooMany(tables, account, { id: to, users: new Set(copied.map(({ key }) => String(key[2]))) });
}

/** All of an account as they go to another node, or come out of a backup. */
export function annotationRecords(tables: Tables, account: number): AnnotationRecord[] {
  return tables.annotations.range(keysUnder([account])).flatMap(({ key: [, id, user, entry], value }): AnnotationRecord[] => {
    if (entry === undefined) return [];
    const mailbox = id === wholeAccount ? undefined : getMailbox(tables, Number(id))?.mailboxId;
    return id !== wholeAccount && mailbox === undefined ? [] : [{ ...(mailbox === undefined ? {} : { mailbox }), user: String(user), entry: String(entry), record: value.toString('base64') }];
  });
}

/** @param mailboxes ids here, by `mailboxId`; annotations of others are left out */
export function putAnnotations(tables: Tables, account: number, { records, mailboxes }: { readonly records: readonly AnnotationRecord[]; readonly mailboxes: ReadonlyMap<string, number> }): void {
  let version = versionOf(tables, account);
  for (const { mailbox, user, entry, record } of records) {
    const id = mailbox === undefined ? wholeAccount : mailboxes.get(mailbox);
    const value = Buffer.from(record, 'base64');
    if (id === undefined || value.length < versionBytes) continue;
    tables.annotations.put([account, id, user, entry], value);
    version = Math.max(version, value.readDoubleLE(0));
  }
  if (records.length > 0) noteVersion(tables, account, version);
}

function versionOf(tables: Tables, account: number): number {
  return tables.annotations.get([account])?.readDoubleLE(0) ?? 0;
}

function noteVersion(tables: Tables, account: number, version: number): void {
  tables.annotations.put([account], recordOf(version, Buffer.alloc(0)));
}

function idOf(mailbox: AnnotationPlace['mailbox']): number {
  return mailbox === 'account' ? wholeAccount : mailbox;
}

/** Shared ones and the owner's own are kept under no name, those of others who may read the mailbox under theirs. */
function userOf({ guest }: AnnotationPlace, entry: string): string {
  return guest === undefined || entry.startsWith('/shared/') ? '' : guest;
}

function isSeenBy(guest: string | undefined, [, , user, entry]: readonly (string | number)[]): boolean {
  if (entry === undefined) return false;
  if (guest === undefined || String(entry).startsWith('/shared/')) return user === '';
  return user === guest;
}

function recordOf(version: number, value: Buffer): Buffer {
  const head = Buffer.alloc(versionBytes);
  head.writeDoubleLE(version);
  return Buffer.concat([head, value]);
}

function annotationOf(entry: string, record: Buffer): Annotation {
  return { entry, value: record.subarray(versionBytes), version: record.readDoubleLE(0) };
}
