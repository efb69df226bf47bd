/** What the face of the room promises of messages and mailboxes; `interface.ts` has accounts and storages. */
import type { StringForm } from '../../shared/imap/strings.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { FieldChoice } from '../../shared/mime/kept-fields.ts';
import type { MessageHead, MessageStructure } from '../../shared/mime/structure.ts';
import type { Table } from './environment.ts';
import type { SeriesMemory } from './packs.ts';

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

/** Rows, ascending by uid, for who looks at many: an object is made only for those that are asked for. */
export interface RowList {
  readonly length: number;
  /** The row at that place, counted from 0. The object is another row's after the next call. */
  look(index: number): MessageRow;
  /** The same, to be kept. */
  row(index: number): MessageRow;
  /** As `look`, of the row with that uid; undefined when there is none. */
  lookFor(uid: number): MessageRow | undefined;
  all(): MessageRow[];
}

/** What happened in a mailbox. */
export interface MailboxChanges {
  /** As they are now, ascending. */
  readonly changed: MessageRow[];
  /** Ascending. */
  readonly vanished: number[];
  /** Of the same moment: what the bits of the rows stand for. */
  readonly keywords: readonly string[];
}

/** What became of a change of flags. */
export interface FlagOutcome {
  /** The rows that now exist for the uids that were there and might be changed; only those of `unheard` where no others were asked for. */
  readonly rows: RowList;
  /** The same. */
  readonly changed: MessageRow[];
  /** How many rows were as wished before, and have kept their mod-sequence. */
  readonly untouched: number;
  /** Refused by `unchangedSince`. */
  readonly modified: number[];
  /** Those that somebody had changed after `knownModseq`; none when that is absent. */
  readonly unheard: ReadonlySet<number>;
  /** Of the transaction, and of no other; undefined when all flags were as wished. */
  readonly modseq: number | undefined;
  /** The mailbox's, afterwards. */
  readonly keywords: readonly string[];
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
  /** Messages with this UID and higher ones are \Recent (RFC 3501 section 2.3.2) to who opens the mailbox next. */
  readonly recentFrom: number;
}

/** What of it who opens a mailbox is told. */
export type OpenedState = Pick<MailboxState, 'uidValidity' | 'uidNext' | 'highestModseq' | 'unseen' | 'keywords' | 'mailboxId' | 'recentFrom'>;

/** What a mailbox holds, by size. */
export interface MeasuredMailbox {
  readonly uidValidity: number;
  /** Ascending. */
  readonly uids: readonly number[];
  /** Bytes, in the order of the uids. */
  readonly sizes: Uint32Array;
  /** Sum of the sizes, bytes. */
  readonly bytes: number;
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
  /** What happened after it is unknown to who asks. */
  readonly knownModseq?: number | undefined;
  /** Which rows the outcome is to have; all when absent. */
  readonly answer?: 'all' | 'unheard';
}

/** A message whose bytes are on their way into a pack, not yet flushed. */
export interface StagedMessage {
  readonly size: number;
  /** SHA-256 of the bytes. */
  readonly digest: Buffer;
  /** Forgets the bytes, unless the message was appended somewhere. Idempotent; always call it when done. */
  discard(): Promise<void>;
}

/** Messages that enter a mailbox in lots, and are seen there all at once or never. */
export interface Lots {
  /** On stable storage, and unseen, when it resolves; they count for the quota. Throws as appending does, `in-use` when the account began to move. */
  add(messages: readonly AppendedMessage[]): Promise<void>;
  /** Shows all of them in one transaction, under the next uids. Throws the same. */
  show(): Promise<AppendResult>;
  /** Nothing of them stays, now or, as the log is told, later. Storages that are opened forget by themselves what a process that ended had begun. Never rejects. */
  forget(log: Logger): Promise<void>;
}

/**
 * What becomes of keywords for which a mailbox has no room: the whole change is refused (`limit`), or the message does without them, as one that is
 * copied or moved: its flags SHOULD be preserved (RFC 9051 section 6.4.7), but it must not stay where it is for their sake.
 */
export type KeywordsBeyond = 'refused' | 'left-out';

/** With what marks a message enters a mailbox. */
export interface AppendMarks {
  readonly flags: number;
  readonly keywords: readonly string[];
  /** Undefined: `refused`. */
  readonly keywordsBeyond?: KeywordsBeyond | undefined;
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

/** What IMAP has words for in a message's structure (RFC 9051 section 7.5.2). */
export type StructureItem = 'ENVELOPE' | 'BODYSTRUCTURE';

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
  /** All of them, not to be changed, where they were read along with another message's; undefined where they have to be read. */
  atHand(): Buffer | undefined;
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
  /** Another number for each time that this process has opened that storage: what is remembered of messages holds for one of them, even where all ids are the same. */
  readonly opening: number;
  /** Fresh counters; throws `mailbox-missing` when it was deleted meanwhile. */
  state(): MailboxState;
  /** That part of them by which one sees that something has happened. Throws as `state`. */
  latest(): Pick<MailboxState, 'uidValidity' | 'highestModseq' | 'keywords'>;
  /** Rows with fromUid <= uid <= toUid, ascending. Default: all. */
  rows(fromUid?: number, toUid?: number): MessageRow[];
  /** The same, without an object for each. `count`: how many there will be, as far as the caller knows. */
  rowList(range: { readonly fromUid: number; readonly toUid: number; readonly count: number }): RowList;
  /** One row, or undefined. */
  row(uid: number): MessageRow | undefined;
  /** What happened after `modseq`: rows changed or added, and uids expunged (RFC 7162 VANISHED); both ascend. */
  changesSince(modseq: number): MailboxChanges;
  /** Undefined when the uid is gone. */
  message(uid: number): StoredMessage | undefined;
  /** `message` for who looks at many, one after the other: their bytes are read ahead, and not to be changed. */
  series(): (uid: number) => StoredMessage | undefined;
  /**
   * The same for rows that are at hand, and for who needs bytes alone: the structure is looked up when it is asked for, and `mailbox-missing` thrown if the message is gone by then.
   * @param memory `used again`: bytes are to be looked at before the next are read
   */
  byteSeries(memory: SeriesMemory): (row: MessageRow) => StoredMessage | undefined;
  /** What the headers of these messages say, in their order, all of one commit; undefined where the message is gone. */
  heads(rows: readonly MessageRow[]): (MessageHead | undefined)[];
  /** Tells what IMAP says of a message's structure, latin1; undefined where the message is gone, or came just now. What it tells never changes, so any snapshot does. */
  structureTexts(item: StructureItem, form: StringForm): (row: MessageRow) => string | undefined;
  /** Likewise the lines of these header fields as they stand in the message, latin1; undefined as well where only the message can tell. */
  headerFields(choice: FieldChoice): (row: MessageRow) => string | undefined;
  /** Sees to it that `headerFields` knows these messages, if it does not: stored by an earlier version. Resolves when that is done, or could not be done now. */
  keepFields(rows: readonly MessageRow[]): Promise<void>;
  /** The uids of all rows. The list may be shared: it is not to be changed. */
  uids(): readonly number[];
  /** `state` and `uids` of the same moment. Throws as `state`. */
  opened(): { readonly state: OpenedState; readonly uids: readonly number[] };
  /** All uids with the sizes of their messages, of the same moment. The lists may be shared: they are not to be changed. Throws as `state`. */
  measured(): MeasuredMailbox;
  /** All staged messages enter or none does; none (no uids) when `guard` says `skip`. */
  append(messages: readonly AppendedMessage[], guard?: AppendGuard): Promise<AppendResult>;
  /**
   * Appends to the target and removes `uid` here, in one transaction, as if the account had only to hold more what the one is larger than
   * the other (RFC 8508). Undefined, and nothing is changed, when the uid is gone. Same account only.
   */
  replace(uid: number, message: AppendedMessage, target: Mailbox): Promise<AppendResult | undefined>;
  changeFlags(uids: readonly number[], change: FlagChange): Promise<FlagOutcome>;
  /** Removes messages, all or those that are \Deleted still; answers the uids that were really removed, and the mod-sequence of the removal. */
  expunge(uids: readonly number[], which?: 'all' | 'deleted'): Promise<{ readonly uids: number[]; readonly modseq: number }>;
  /** The secret by which URLs of its messages are authorised (RFC 4467 section 2.2); undefined when there is none. It stays with the mailbox when that is renamed or moves. */
  urlKey(): Buffer | undefined;
  /** The same, made if there is none. */
  ensureUrlKey(): Promise<Buffer>;
  /** What was authorised by it is so no more. */
  dropUrlKey(): Promise<void>;
  /** A session that may change the mailbox was told of its messages below that UID: to those that open it later they are not \Recent. Resolves once that is written along with something else, or cannot be. */
  noteTold(uid: number): Promise<void>;
  /** For more messages than one transaction should have. */
  lots(): Lots;
  /** Uids that are gone are skipped. Same account only. Copies bear the flags of the mask; all when absent. */
  copyTo(uids: readonly number[], target: Mailbox, within?: FlagMask): Promise<CopyResult>;
  /** Copy and expunge in one transaction (RFC 6851). */
  moveTo(uids: readonly number[], target: Mailbox, within?: FlagMask): Promise<CopyResult>;
}
