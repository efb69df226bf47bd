/**
 * What the face of the room promises: what protocols and processing may ask of a node's storages. One `Storage` object per
 * worker process; all workers of a node share the files (LMDB is multi-process). Reads are synchronous and see the last
 * commit at the moment of the call; writes resolve only when the bytes and the index are on stable storage.
 *
 * All methods throw `Failure` for what can be expected (`mailbox-missing`, `over-quota`, `storage-full` …).
 */
import type { AccountAct } from '../../shared/admin-api/account-act.ts';
import type { StringForm } from '../../shared/imap/strings.ts';
import type { MessageHead, MessageStructure } from '../../shared/mime/structure.ts';
import type { AccountStatus, AccountService } from '../../shared/access/account-use.ts';
import type { AccountLives } from './account-lives.ts';
import type { StorageCare } from './care.ts';
import type { Table } from './environment.ts';
import type { FolderRights, RightsEntry } from './rights.ts';
import type { Transfers } from './transfers.ts';

/** System flags of a message as bits of `MessageRow.flags` (RFC 9051 section 2.3.2). */
export const Flag = { Seen: 1, Answered: 2, Flagged: 4, Deleted: 8, Draft: 16 } as const;

/** The hot columns of one message. Times are milliseconds since 1970, sizes bytes. */
export interface MessageRow {
  readonly uid: number;
  /** Mod-sequence (RFC 7162); below 2^53. */
  readonly modseq: number;
  /** System flags, see `Flag`. */
  readonly flags: number;
  /** Keywords: bit n stands for `MailboxState.keywords[n]`. At most 32 keywords per mailbox. */
  readonly keywords: number;
  /** RFC822.SIZE. */
  readonly size: number;
  readonly internalDateMs: number;
  /** When it was put into this mailbox (RFC 8514). */
  readonly savedDateMs: number;
  /** EMAILID (RFC 8474) as a number below 2^53, unique in the storage; the same for copies of one message. */
  readonly messageId: number;
  /** THREADID (RFC 8474), below 2^53. */
  readonly threadId: number;
}

/** Counters and names of one mailbox, as of one commit. */
export interface MailboxState {
  readonly id: number;
  /** Full name with `/` between levels; Unicode (NFC); `INBOX` in capitals. */
  readonly name: string;
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly highestModseq: number;
  readonly messages: number;
  readonly unseen: number;
  readonly deleted: number;
  /** Sum of the sizes, bytes. */
  readonly bytes: number;
  /** Keyword names in the order of their bits, e.g. `$Forwarded`. */
  readonly keywords: readonly string[];
  /** `\Sent`, `\Drafts`, `\Trash`, `\Junk`, `\Archive` (RFC 6154); each belongs to one mailbox of an account at most. */
  readonly specialUses: readonly string[];
  readonly subscribed: boolean;
  /** MAILBOXID (RFC 8474): never used again, kept through renames. */
  readonly mailboxId: string;
}

/** Some of the flags, as rights on a mailbox divide them (RFC 4314 section 4). */
export interface FlagMask {
  /** System flags, see `Flag`. */
  readonly flags: number;
  readonly keywords: 'all' | 'none';
}

/** How a STORE changes flags. Keyword names are given as text; unknown ones are added to the mailbox. */
export interface FlagChange {
  readonly mode: 'add' | 'remove' | 'replace';
  readonly flags: number;
  readonly keywords: readonly string[];
  /** Whatever the change says, only these may change; all when absent. */
  readonly within?: FlagMask | undefined;
  /** UNCHANGEDSINCE (RFC 7162 section 3.1.3): rows with a higher modseq are left alone and listed in `modified`. */
  readonly unchangedSince?: number | undefined;
}

/** A message whose bytes have been written (not yet flushed) to a pack and whose structure is known. */
export interface StagedMessage {
  readonly size: number;
  readonly structure: MessageStructure;
  /** SHA-256 of the bytes. */
  readonly digest: Buffer;
  /** Forgets the bytes, unless the message was appended somewhere. Idempotent; always call it when done. */
  discard(): Promise<void>;
}

/** With what marks a message enters a mailbox. */
export interface AppendMarks {
  readonly flags: number;
  readonly keywords: readonly string[];
  /** Undefined: now. */
  readonly internalDateMs?: number | undefined;
}

/** A message that is to enter a mailbox. */
export interface AppendedMessage {
  readonly staged: StagedMessage;
  readonly marks: AppendMarks;
}

/** Where an appended, copied or moved message went: COPYUID/APPENDUID (RFC 4315). */
export interface AppendResult {
  readonly uidValidity: number;
  readonly uids: readonly number[];
}

/** Result of copy and move: `sourceUids[i]` became `uids[i]`. */
export interface CopyResult extends AppendResult {
  readonly sourceUids: readonly number[];
}

/** IMAP's words for a message's structure (RFC 9051 section 7.5.2), latin1. */
export interface StructureTexts {
  envelope(form: StringForm): string;
  bodyStructure(form: StringForm): string;
}

/** One stored message, for reading. */
export interface StoredMessage {
  readonly size: number;
  /** Decoded on first use. */
  readonly structure: MessageStructure;
  /** The same without the parts, which cost most of the decoding. */
  readonly head: MessageHead;
  /** Of the message's header, with the empty line behind it. */
  readonly headerBytes: number;
  /** The very bytes that were stored: `length` bytes from `offset` (clipped to the message). */
  read(offset: number, length: number): Promise<Buffer>;
}

/** Records that a room above keeps beside the mail of one storage (processing: which deliveries were made). */
export interface DeliveryRecords {
  read<T>(action: (records: Table) => T): T;
  /** A transaction of its own, on stable storage when it resolves. `action` must be synchronous. */
  write<T>(action: (records: Table) => T): Promise<T>;
  /** As `write`, in no hurry: together with what is written next, so that it costs no flush of its own, within a tenth of a second. */
  writeAlong<T>(action: (records: Table) => T): Promise<T>;
}

/** Runs inside an append's transaction: may change the records, and says whether the messages are still to enter. */
export type AppendGuard = (records: Table) => 'append' | 'skip';

/** One mailbox, open for work. Methods may be called concurrently. */
export interface Mailbox {
  readonly id: number;
  /** Of the account that it belongs to. */
  readonly accountId: string;
  /** The storage that keeps it. */
  readonly directory: string;
  /** Fresh counters; throws `mailbox-missing` when it was deleted meanwhile. */
  state(): MailboxState;
  /** Rows with fromUid <= uid <= toUid, ascending. Default: all. */
  rows(fromUid?: number, toUid?: number): MessageRow[];
  /** One row, or undefined. */
  row(uid: number): MessageRow | undefined;
  /** What happened after `modseq`: rows changed or added, and uids expunged (RFC 7162 VANISHED). */
  changesSince(modseq: number): { readonly changed: MessageRow[]; readonly vanished: number[] };
  /** Undefined when the uid is gone. */
  message(uid: number): StoredMessage | undefined;
  /** `message` for who looks at many, one after the other: their bytes are read ahead, and not to be changed. */
  series(): (uid: number) => StoredMessage | undefined;
  /** What the headers of these messages say, in their order, all of one commit; undefined where the message is gone. */
  heads(rows: readonly MessageRow[]): (MessageHead | undefined)[];
  /** As `heads`: what IMAP says of their structure. */
  structureTexts(rows: readonly MessageRow[]): (StructureTexts | undefined)[];
  /** The uids of all rows. The list may be shared: it is not to be changed. */
  uids(): readonly number[];
  /** All staged messages enter or none does; none (no uids) when `guard` says `skip`. */
  append(messages: readonly AppendedMessage[], guard?: AppendGuard): Promise<AppendResult>;
  /**
   * Appends to the target and removes `uid` here, in one transaction, as if the account had only to hold more what the one is larger than
   * the other (RFC 8508). Undefined, and nothing is changed, when the uid is gone. Same account only.
   */
  replace(uid: number, message: AppendedMessage, target: Mailbox): Promise<AppendResult | undefined>;
  /** Changes flags; `changed` lists the rows that now exist for the uids that were there, `modified` those refused by unchangedSince. */
  changeFlags(uids: readonly number[], change: FlagChange): Promise<{ readonly changed: MessageRow[]; readonly modified: number[] }>;
  /** Removes messages; answers the uids that were really there, and the mod-sequence of the removal. */
  expunge(uids: readonly number[]): Promise<{ readonly uids: number[]; readonly modseq: number }>;
  /** The secret by which URLs of its messages are authorised (RFC 4467 section 2.2); undefined when there is none. It stays with the mailbox when that is renamed or moves. */
  urlKey(): Buffer | undefined;
  /** The same, made if there is none. */
  ensureUrlKey(): Promise<Buffer>;
  /** What was authorised by it is so no more. */
  dropUrlKey(): Promise<void>;
  /** Uids that are gone are skipped. Same account only. Copies bear the flags of the mask; all when absent. */
  copyTo(uids: readonly number[], target: Mailbox, within?: FlagMask): Promise<CopyResult>;
  /** Copy and expunge in one transaction (RFC 6851). */
  moveTo(uids: readonly number[], target: Mailbox, within?: FlagMask): Promise<CopyResult>;
}

/** A named value of a mailbox, or of the account as a whole (RFC 5464). */
export interface Annotation {
  /** In lower case: `/private/…` or `/shared/…`. */
  readonly entry: string;
  readonly value: Buffer;
  /** The number of the change that set it. */
  readonly version: number;
}

/** Where annotations are. */
export interface AnnotationPlace {
  /** A mailbox's id. */
  readonly mailbox: number | 'account';
  /** Whose private ones are meant: the address of one who is not the owner. The owner's when absent. */
  readonly guest?: string | undefined;
}

export interface AnnotationChange {
  /** By name; undefined removes. */
  readonly values: ReadonlyMap<string, Buffer | undefined>;
  /** What the mailbox is used for from now on; those who were used so are so no more. Unchanged when absent. */
  readonly specialUses?: readonly string[] | undefined;
}

export interface Annotations {
  /** Grows with every change; the same number means that nothing has changed but special uses. */
  version(): number;
  /** All of that place, by name. */
  of(place: AnnotationPlace): readonly Annotation[];
  /** The versions of all, by mailbox and name. */
  everywhere(guest?: string): ReadonlyMap<number | 'account', ReadonlyMap<string, number>>;
  /** All of the change or nothing of it; answers its version. Throws `mailbox-missing`, `limit`, `use-refused`. */
  set(place: AnnotationPlace, change: AnnotationChange): Promise<number>;
}

/** What an administrator lets an account be used for. */
export interface AccountTerms {
  readonly status: Exclude<AccountStatus, 'deleted'>;
  /** All when absent. */
  readonly services?: readonly AccountService[] | undefined;
}

/** The most that an account may hold; 0 for no limit. */
export interface AccountLimits {
  readonly bytes: number;
  readonly messages: number;
}

/** One account: a mailbox owner whose mail this node keeps. */
export interface Account {
  /** Opaque id, unique in the cluster; part of every hint. */
  readonly id: string;
  /** Canonical address, lower-case. */
  readonly address: string;
  /** Counts moves between nodes; an owner with an older epoch refuses writes. */
  readonly epoch: number;
  /** Which sign-ins hold that were made earlier; unlike `epoch` it stays the same when the account moves. */
  readonly sessionEpoch: number;
  /** As it is now. */
  currentSessionEpoch(): number;
  /** Ends all sessions by their epoch; answers the one under which new ones begin. Throws `not-kept-here`, `in-use`, `storage-failure`. */
  endSessions(): Promise<number>;
  /**
   * `held`: nobody may change it for some seconds, as the last of it is being moved; `barred`: it takes mail at most, and
   * nobody may be in it; `gone`: this node has no such account any more, as it moved, was renamed or withdrawn.
   */
  standing(): 'live' | 'held' | 'barred' | 'gone';
  /** As they are now. */
  terms(): AccountTerms;
  /** Further addresses that no directory has. */
  aliases(): readonly string[];
  /** What administrators did to it, the oldest first. */
  acts(): readonly AccountAct[];
  /** Of the storage that keeps this account. */
  readonly deliveryRecords: DeliveryRecords;
  /** All mailboxes, INBOX first, then by name. */
  mailboxes(): MailboxState[];
  /** Undefined when there is none of that name (INBOX is case-insensitive). */
  mailbox(name: string): Mailbox | undefined;
  mailboxById(id: number): Mailbox | undefined;
  /** Makes a mailbox and the levels above it that are missing. Throws `mailbox-exists`, `bad-input`, `use-refused`. */
  createMailbox(name: string, specialUses?: readonly string[]): Promise<Mailbox>;
  /** Renames it with all levels below. Renaming INBOX moves its messages (RFC 9051 section 6.3.6). */
  renameMailbox(from: string, to: string): Promise<void>;
  /** Throws `forbidden` for INBOX. Levels below stay. */
  deleteMailbox(name: string): Promise<void>;
  /** Who was granted or denied what at the folder of that name, or above it; also of a name that no mailbox has. */
  folderRights(name: string): FolderRights;
  /** Changes the entry of `who` at that folder; an empty one is none. Throws `mailbox-missing`, `limit`. */
  changeRights(name: string, who: string, to: (before: RightsEntry) => RightsEntry): Promise<void>;
  /** Subscribed names; may name mailboxes that don't exist (RFC 9051 section 6.3.7). */
  subscriptions(): string[];
  setSubscribed(name: string, subscribed: 'yes' | 'no'): Promise<void>;
  readonly annotations: Annotations;
  /** How the account's own password is kept (`{SCHEME}…`); undefined when it has none here. It moves along with the account. */
  passwordHash(): string | undefined;
  setPasswordHash(hash: string): Promise<void>;
  /** Use and limits (0 = none), exact. Bytes and messages. */
  quota(): { readonly bytes: number; readonly messages: number; readonly bytesLimit: number; readonly messagesLimit: number };
}

/** What is recorded of an address in this node's storages. */
export type AccountRecord =
  | { readonly at: 'live'; readonly account: Account }
  | { readonly at: 'moved'; readonly node: string; readonly epoch: number } // tombstone
  /** On its way to here; `node` owns it until this copy goes live. */
  | { readonly at: 'arriving'; readonly node: string; readonly epoch: number; readonly stage: 'copying' | 'ready' }
  /** As if there were none, but its mail lies here; see `AccountLives`. */
  | { readonly at: 'withdrawn'; readonly why: 'deleted' | 'vanished'; readonly atMs: number }
  | { readonly at: 'none' };

/** One node's storages. */
export interface Storage {
  /** Throws `storage-failure` when the account's storage is taken out for the time being. */
  find(address: string): AccountRecord;
  /** Whether that is so. */
  isTakenOut(address: string): boolean;
  /** What administrators and the directory do to accounts. */
  readonly lives: AccountLives;
  /** What administrators do to the storages as a whole. */
  readonly care: StorageCare;
  /** Both sides of an account's move from one node to another. */
  readonly transfers: Transfers;
  /** Makes the record and the usual mailboxes (INBOX, Sent, Drafts, Junk, Trash, with special use and subscribed). The caller has settled ownership. A second call finds the first's account. */
  createAccount(address: string): Promise<Account>;
  /** Canonical addresses of all live accounts. */
  addresses(): string[];
  /** Live accounts that grant something to that identifier (see rights.ts), perhaps not to their own domain only. */
  ownersGranting(who: string): string[];
  /** The groups to which anything is granted here. */
  groupsGranted(): string[];
  /** One for each directory. Throws `storage-failure`. */
  volumes(): readonly { readonly directory: string; readonly accounts: number; readonly bytes: number }[];
  /** Those of each storage, for tidying up. */
  deliveryRecords(): DeliveryRecords[];
  /**
   * Writes a message's bytes to a pack as they come and scans its structure on the way.
   * Throws `message-too-big` past `maxBytes`, `storage-full` below the reserve, `storage-failure`; the rest of the source is then left unread.
   * @param address the account whose storage is to hold it (a domain may have several); several recipients of one
   * delivery in one storage share the bytes.
   */
  stage(address: string, source: AsyncIterable<Buffer>, maxBytes: number): Promise<StagedMessage>;
  /**
   * Leaves a tombstone: the account lives on `node` from now on, with `epoch`. Open `Account` objects refuse writes with
   * `not-kept-here`. Throws `unknown-user` when there is no such account, `forbidden` when it has that epoch or a later one.
   */
  markMoved(address: string, node: string, epoch: number): Promise<void>;
  /** Deletes packs that nobody writes and in which nothing has been live for `idleMs` (readers may still hold on to them); answers how many. For the one worker that tidies up; some minutes are a good `idleMs`. */
  removeDeadPacks(idleMs: number): Promise<number>;
  close(): Promise<void>;
}
