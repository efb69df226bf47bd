/**
 * What the face of the room promises: what protocols and processing may ask of a node's storages. One `Storage` object per
 * worker process; all workers of a node share the files (LMDB is multi-process). Reads are synchronous and see the last
 * commit at the moment of the call; writes resolve only when the bytes and the index are on stable storage.
 *
 * All methods throw `Failure` for what can be expected (`mailbox-missing`, `over-quota`, `storage-full` …).
 */
import type { AccountAct } from '../../shared/admin-api/account-act.ts';
import type { AccountStatus, AccountService } from '../../shared/access/account-use.ts';
import type { AccountLives } from './account-lives.ts';
import type { StorageCare } from './care.ts';
import type { Table } from './environment.ts';
import type { MessageBytes } from './packs.ts';
import type { FolderRights, RightsEntry } from './rights.ts';
import type { Transfers } from './transfers.ts';
import type { AppendedMessage, AppendGuard, AppendResult, Mailbox, MailboxState, StagedMessage } from './mailbox-interface.ts';

export * from './mailbox-interface.ts';

/** Records that a room above keeps beside the mail of one storage (processing: which deliveries were made). */
export interface DeliveryRecords {
  read<T>(action: (records: Table) => T): T;
  /** A transaction of its own, on stable storage when it resolves. `action` must be synchronous. */
  write<T>(action: (records: Table) => T): Promise<T>;
  /** As `write`, in no hurry: together with what is written next, so that it costs no flush of its own, within a second. */
  writeAlong<T>(action: (records: Table) => T): Promise<T>;
  /** What this process has waiting so is written now. */
  hurry(): void;
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

export interface AnnotationOutcome {
  readonly version: number;
  /** The mailbox's mod-sequence of the change; undefined: of the account as a whole. */
  readonly modseq: number | undefined;
}

export interface Annotations {
  /** Grows with every change; the same number means that nothing has changed but special uses. */
  version(): number;
  /** All of that place, by name. */
  of(place: AnnotationPlace): readonly Annotation[];
  /** The versions of all, by mailbox and name. */
  everywhere(guest?: string): ReadonlyMap<number | 'account', ReadonlyMap<string, number>>;
  /** All of the change or nothing of it. Throws `mailbox-missing`, `limit`, `use-refused`. */
  set(place: AnnotationPlace, change: AnnotationChange): Promise<AnnotationOutcome>;
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

/** How large those tables of an account may get that its users let grow. */
export interface AccountBounds {
  readonly mailboxes: number;
  readonly subscriptions: number;
  /** Users and groups. */
  readonly rightsPerMailbox: number;
  /** Entries of all its mailboxes. */
  readonly rightsPerAccount: number;
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
   * nobody may be in it; `gone`: this node has no such account any more, as it moved, was renamed or withdrawn; `away`: its storage
   * is taken out for the time being, and all else throws `storage-failure` at any moment.
   */
  standing(): 'live' | 'held' | 'barred' | 'gone' | 'away';
  /** Runs `questions`, synchronous ones, which are answered as of one moment: the one at which the first is asked. Each by itself has to look anew. */
  atOneMoment<T>(questions: () => T): T;
  /** As they are now. */
  terms(): AccountTerms;
  /** Further addresses that no directory has. */
  aliases(): readonly string[];
  /** What administrators did to it, the oldest first. */
  acts(): readonly AccountAct[];
  /** Of the storage that keeps this account. */
  readonly deliveryRecords: DeliveryRecords;
  /**
   * Writes a message's bytes to a pack of the storage that keeps this account, as they come, and finds its structure.
   * Throws `message-too-big` past `maxBytes`, `storage-full` below the reserve, `storage-failure`; the rest of the source is then left unread.
   * Several recipients of one delivery in one storage share the bytes; into others they are copied.
   */
  stage(source: MessageBytes, maxBytes: number): Promise<StagedMessage>;
  /** Appends to INBOX, as `Mailbox.append` does, without a look at the index before. */
  deliver(messages: readonly AppendedMessage[], guard?: AppendGuard): Promise<AppendResult>;
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
  /** `isHeld`: at this moment, as `Account.standing` tells. */
  | { readonly at: 'live'; readonly account: Account; readonly isHeld: boolean }
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
   * Leaves a tombstone: the account lives on `node` from now on, with `epoch`. Open `Account` objects refuse writes with
   * `not-kept-here`. Throws `unknown-user` when there is no such account, `forbidden` when it has that epoch or a later one.
   */
  markMoved(address: string, node: string, epoch: number): Promise<void>;
  /** Deletes packs that nobody writes and in which nothing has been live for `idleMs` (readers may still hold on to them); answers how many. For the one worker that tidies up; some minutes are a good `idleMs`. */
  removeDeadPacks(idleMs: number): Promise<number>;
  /** Takes away what processes that ended had begun to let enter in lots. Never rejects. */
  removeBrokenLots(): Promise<void>;
  /** From now on accounts may hold that much, where nothing is set for themselves; whoever has one open is held to it, too. */
  useLimits(limits: StandingLimits): void;
  close(): Promise<void>;
}

/** What accounts may hold for which nothing of their own is set. */
export interface StandingLimits {
  /** Limits of each account; none when absent. */
  readonly quota?: AccountLimits | undefined;
  /** What is set for the domain of an address; nothing when absent. */
  readonly domains?: DomainLimits | undefined;
}

export interface DomainLimits {
  /** What an account may hold; what is not named is as for all. */
  limitsOf(address: string): Partial<AccountLimits>;
}
