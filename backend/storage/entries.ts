/** What the index records of accounts and mailboxes, and its bytes (JSON). */
import type { AccountAct } from '../../shared/admin-api/account-act.ts';
import { keysUnder } from './environment.ts';
import type { FlagRecord } from './flag-records.ts';
import type { AccountLimits, AccountTerms } from './interface.ts';
import { KeptEntries } from './kept-entries.ts';
import type { Tables } from './keys.ts';
import type { RightsEntry } from './rights.ts';

/** One account, or the tombstone that it left. */
export interface AccountEntry {
  /** Names the account in keys; unique in the storage. */
  readonly number: number;
  readonly id: string;
  readonly address: string;
  readonly epoch: number;
  /** Which sign-ins hold (WebMail's cookies); goes along when the account moves. The epoch when absent. */
  readonly sessionEpoch?: number;
  /** Use. */
  readonly bytes: number;
  readonly messages: number;
  /** Entries of rights at all mailboxes; absent as long as nobody counted them. */
  readonly rights?: number;
  /** How the account's own password is kept (`{SCHEME}…`); absent where a directory has the passwords. */
  readonly password?: string;
  /** Who may use it for what; everything when absent. */
  readonly terms?: AccountTerms;
  /** Its own limits, in the place of the directory's, the domain's or the server's. */
  readonly limits?: Partial<AccountLimits>;
  /** What the directory last said that it may hold, in the place of the domain's or the server's limits. */
  readonly directoryLimits?: Partial<AccountLimits>;
  /** Out of use with its mail untouched, as if there were no such account, until it is taken up again or removed. */
  readonly withdrawn?: { readonly why: 'deleted' | 'vanished'; readonly atMs: number };
  /** Further addresses that no directory has; `localNames` leads from each to here. */
  readonly aliases?: readonly string[];
  /** Set when the account has gone to another node. */
  readonly movedTo?: string;
  /** Of a tombstone: when it went, and what of its mail lies here still. */
  readonly left?: { readonly atMs: number; readonly mail: 'unverified' | 'verified' | 'removed' };
  /** Nobody may change or open the account until then: the last of it is being copied by who has the token. */
  readonly hold?: { readonly token: string; readonly untilMs: number };
  /** Nodes that did not answer when it was settled that the account is this node's. */
  readonly unheard?: readonly string[];
  /** It came from that node; who brought it has yet to name it in the directory and to compare what was left there. */
  readonly came?: { readonly from: string; readonly holder: string };
  /** It was given to that node and taken back, as the node was gone: it has not heard of it yet. */
  readonly reclaimed?: { readonly from: string };
  /** The account is on its way to here and still owned by the node `from`; `ready`: the copy is whole. */
  readonly arriving?: { readonly from: string; readonly stage: 'copying' | 'ready'; readonly holder: string };
}

/** One mailbox. */
export interface MailboxEntry {
  readonly id: number;
  readonly account: number;
  readonly name: string;
  readonly mailboxId: string;
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly highestModseq: number;
  readonly messages: number;
  readonly unseen: number;
  readonly deleted: number;
  readonly bytes: number;
  readonly keywords: readonly string[];
  /** Special uses, divided by spaces; see special-use.ts. */
  readonly specialUse: string | null;
  /** What others may do with it, as far as this mailbox says so itself; absent: nothing. */
  readonly rights?: readonly RightsEntry[];
  /** Changes of flags that its blocks do not have yet, by mod-sequence; absent: none. See mailbox-rows.ts. */
  readonly flagRecords?: readonly FlagRecord[];
  /** The secret by which URLs of its messages are authorised (RFC 4467 section 2.2), base64; absent until one is needed. */
  readonly urlKey?: string;
  /** The lowest UID that no session was told of that may change the mailbox; absent: all messages are older than such a mark. See recent-marks.ts. */
  readonly recentFrom?: number;
}

/** What an address that no directory has stands for. */
export type LocalName =
  | { readonly kind: 'alias'; readonly account: string }
  | { readonly kind: 'group'; readonly members: readonly string[] };

/** How far a mailbox of some name had counted when it went. */
export interface RetiredName {
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly highestModseq: number;
}

export function getAccount(tables: Tables, address: string): AccountEntry | undefined {
  const bytes = tables.accounts.peek([address]);
  return bytes === undefined ? undefined : keptOf(tables).accounts.decode(address, bytes);
}

/** Whether somebody holds the account at this moment; a hold ends by itself. */
export function isHeld({ hold }: AccountEntry): boolean {
  return hold !== undefined && Date.now() < hold.untilMs;
}

export function sessionEpochOf({ sessionEpoch, epoch }: AccountEntry): number {
  return sessionEpoch ?? epoch;
}

export function termsOf(entry: AccountEntry | undefined): AccountTerms {
  return entry?.terms ?? { status: 'active' };
}

/** What the account may hold: what is set for itself counts before what holds for all others of its domain. */
export function limitsOf(entry: AccountEntry | undefined, others: AccountLimits): AccountLimits {
  return { ...others, ...entry?.directoryLimits, ...entry?.limits };
}

export function putAccount(tables: Tables, entry: AccountEntry): void {
  const bytes = encode(entry);
  tables.accounts.put([entry.address], bytes);
  keptOf(tables).accounts.keep(entry.address, { bytes, entry });
}

export function getLocalName(tables: Tables, address: string): LocalName | undefined {
  return decode<LocalName>(tables.localNames.get([address]));
}

export function putLocalName(tables: Tables, address: string, name: LocalName): void {
  tables.localNames.put([address], encode(name));
}

/** What administrators did to it, the oldest first. */
export function getActs(tables: Tables, account: number): readonly AccountAct[] {
  return decode<readonly AccountAct[]>(tables.acts.get([account])) ?? [];
}

export function putActs(tables: Tables, account: number, acts: readonly AccountAct[]): void {
  if (acts.length === 0) tables.acts.remove([account]);
  else tables.acts.put([account], encode(acts));
}

export function getMailbox(tables: Tables, id: number): MailboxEntry | undefined {
  const bytes = tables.mailboxes.peek([id]);
  return bytes === undefined ? undefined : keptOf(tables).mailboxes.decode(id, bytes);
}

export function putMailbox(tables: Tables, entry: MailboxEntry): void {
  const bytes = encode(entry);
  tables.mailboxes.put([entry.id], bytes);
  keptOf(tables).mailboxes.keep(entry.id, { bytes, entry });
}

interface Kept {
  readonly accounts: KeptEntries<AccountEntry>;
  readonly mailboxes: KeptEntries<MailboxEntry>;
}

const keptByTables = new WeakMap<Tables, Kept>();

function keptOf(tables: Tables): Kept {
  const known = keptByTables.get(tables);
  if (known !== undefined) return known;
  const kept: Kept = { accounts: new KeptEntries(), mailboxes: new KeptEntries() };
  keptByTables.set(tables, kept);
  return kept;
}

/** The account's mailboxes. */
export function entriesOf(tables: Tables, account: number): MailboxEntry[] {
  return tables.names.range(keysUnder([account])).flatMap(({ value }) => getMailbox(tables, Number(value.toString())) ?? []);
}

/** Those of them whose names begin with that name and a `/`. */
export function entriesBelow(tables: Tables, { account, name }: Pick<MailboxEntry, 'account' | 'name'>): MailboxEntry[] {
  return tables.names.range({ from: [account, `${name}/`], to: [account, `${name}0`] }).flatMap(({ value }) => getMailbox(tables, Number(value.toString())) ?? []); // 0 comes after /
}

/** The names of a row's keywords, of all that its mailbox has. */
export function keywordNames(keywords: readonly string[], bits: number): string[] {
  return keywords.filter((_, index) => ((bits >>> index) & 1) === 1);
}

/** The id of the account's mailbox of that very name. */
export function mailboxIdOf(tables: Tables, account: number, name: string): number | undefined {
  const id = tables.names.text([account, name]);
  return id === undefined ? undefined : Number(id);
}

export function putName(tables: Tables, entry: MailboxEntry): void {
  tables.names.put([entry.account, entry.name], encode(entry.id));
}

export function getRetiredName(tables: Tables, account: number, name: string): RetiredName | undefined {
  return decode<RetiredName>(tables.retiredNames.get([account, name]));
}

/** Strikes the mailbox's name and remembers how far it had counted. */
export function retireName(tables: Tables, entry: MailboxEntry): void {
  tables.names.remove([entry.account, entry.name]);
  const { uidValidity, uidNext, highestModseq } = entry;
  tables.retiredNames.put([entry.account, entry.name], encode({ uidValidity, uidNext, highestModseq } satisfies RetiredName));
}

function encode(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function decode<T>(value: Buffer | undefined): T | undefined {
  return value === undefined ? undefined : (JSON.parse(value.toString()) as T);
}
