/**
 * What storages offer to the move of an account from one node to another: the side that it leaves and the side where it
 * arrives. Who owns the account in between, and in which order this is called, is told in docs/account-move.md.
 */
import type { AccountAct } from '../../shared/admin-api/account-act.ts';
import type { MailboxEntry, RetiredName } from './entries.ts';
import type { AccountLimits, AccountTerms, MessageRow } from './interface.ts';

/** All of an account but its messages. */
export interface AccountSnapshot {
  readonly id: string;
  readonly epoch: number;
  /** Sign-ins that hold. */
  readonly sessionEpoch: number;
  readonly bytes: number;
  readonly messages: number;
  /** The account's own password, as a hash. */
  readonly password?: string | undefined;
  readonly terms?: AccountTerms | undefined;
  readonly limits?: Partial<AccountLimits> | undefined;
  /** What the directory last said; absent from nodes that remember nothing of it. No part of the fingerprint: it is learned anew. */
  readonly directoryLimits?: Partial<AccountLimits> | undefined;
  readonly aliases?: readonly string[] | undefined;
  /** What administrators did to it; absent from nodes that keep none. */
  readonly acts?: readonly AccountAct[] | undefined;
  readonly mailboxes: readonly MailboxEntry[];
  /** Absent from nodes that keep none. */
  readonly annotations?: readonly AnnotationRecord[] | undefined;
  readonly subscriptions: readonly string[];
  readonly retiredNames: readonly (readonly [name: string, retired: RetiredName])[];
}

/** One annotation as it travels. */
export interface AnnotationRecord {
  /** The `mailboxId`; absent: of the account as a whole. */
  readonly mailbox?: string;
  /** Whose private one, empty for the owner's and shared ones. */
  readonly user: string;
  readonly entry: string;
  /** As the index has it, in base64. */
  readonly record: string;
}

/** What happened in a mailbox after some mod-sequence, up to and including `upTo`. */
export interface ChangesPage {
  readonly rows: readonly MessageRow[];
  readonly expunged: readonly { readonly modseq: number; readonly uids: readonly number[] }[];
  readonly upTo: number;
  /** Whether there is more after `upTo`. */
  readonly more: boolean;
}

/** One message to be copied. */
export interface LeavingMessage {
  readonly size: number;
  readonly structure: Buffer;
  bytes(): AsyncIterable<Buffer>;
}

/** A message whose bytes have come, perhaps not yet on stable storage. */
export interface ArrivedMessage {
  readonly messageId: number;
  /** SHA-256 of the bytes as they were written. */
  readonly digest: Buffer;
}

/** One page of changes of one mailbox, with the messages that were not here yet. */
export interface Arrivals {
  /** The mailbox at the source; known here by its `mailboxId`. */
  readonly mailbox: MailboxEntry;
  readonly page: ChangesPage;
  readonly arrived: readonly ArrivedMessage[];
  /** Messages that the source has no more: their rows are left out. */
  readonly gone: ReadonlySet<number>;
}

/** An account that is on its way to here. */
export interface ArrivingRecord {
  readonly address: string;
  readonly from: string;
  readonly epoch: number;
  readonly stage: 'copying' | 'ready';
  /** The process that works at it (`thisProcess`); empty: none. */
  readonly holder: string;
}

/** An account that came and is owned here, with something left to do. */
export interface CameRecord {
  readonly address: string;
  readonly from: string;
  /** The process that works at it; empty: none. */
  readonly holder: string;
}

/** An account that was taken back from a node that is gone, and has not heard of it. */
export interface ReclaimedRecord {
  readonly address: string;
  readonly epoch: number;
  readonly from: string;
}

/** A tombstone whose mail lies here still. */
export interface LeftMail {
  readonly address: string;
  readonly node: string;
  readonly epoch: number;
  readonly atMs: number;
  readonly mail: 'unverified' | 'verified';
}

/** The side that the account leaves: it owns it until `seal`. All throw `unknown-user` when there is no such account. */
export interface Leaving {
  /** Also of a tombstone whose mail is still here. */
  snapshot(address: string): AccountSnapshot;
  /** At least `limit` rows if there are as many; whole transactions. `mailbox` is the id at this node. */
  changes(address: string, mailbox: number, range: { readonly since: number; readonly limit: number }): ChangesPage;
  /** Undefined when it is in no mailbox any more. */
  message(address: string, messageId: number): LeavingMessage | undefined;
  /** A digest of everything but the messages' bytes; equal on both sides when the copy is whole. */
  fingerprint(address: string): string;
  /** From now on nobody opens or changes the account, for `forMs` at most. `token` is `NODE/…`: a node's new hold ends its old one. Throws `in-use` while somebody else holds it, `not-kept-here`. */
  hold(address: string, hold: { readonly token: string; readonly forMs: number }): Promise<void>;
  /** Ends a hold before its time; nothing happens when it isn't this one's. */
  release(address: string, token: string): Promise<void>;
  /**
   * The account belongs to `node` from now on. Throws `timed-out` when the hold of that token is over: then it has not
   * happened. Sealing again the same way is no error.
   */
  seal(address: string, seal: { readonly token: string; readonly node: string; readonly epoch: number }): Promise<void>;
  /** All tombstones that have mail. */
  left(): LeftMail[];
  /** What a tombstone has of its mail; undefined when there is no tombstone with mail. */
  leftOf(address: string): LeftMail['mail'] | undefined;
  /** The new owner has compared every message. Nothing happens when the tombstone has another epoch. */
  markVerified(address: string, epoch: number): Promise<void>;
  /** Frees the mail of a tombstone that was verified; throws `forbidden` when it was not. */
  removeLeft(address: string, epoch: number): Promise<void>;
  /** This node owns it again, by an epoch beyond the one that went to `from`, which is gone; answers it. Throws `unknown-user`, `forbidden`. */
  reclaim(address: string, from: string): Promise<number>;
  reclaimed(): ReclaimedRecord[];
  /** The node that it was taken from has heard. */
  settleReclaimed(address: string): Promise<void>;
}

/** The side where the account arrives: it owns it from `activate` on. */
export interface Arriving {
  records(): ArrivingRecord[];
  /** What is here of the account becomes a tombstone, if it is of an older epoch than what another node has taken back. */
  yield(address: string, to: { readonly node: string; readonly epoch: number }): Promise<'yielded' | 'nothing'>;
  /** Of accounts that were activated and not yet finished. */
  came(): CameRecord[];
  /**
   * Begins, or goes on after a crash. Throws `in-use` while another living process works at it, `mailbox-exists` when this
   * node owns the account, `storage-full`.
   */
  begin(address: string, move: { readonly from: string; readonly id: string; readonly epoch: number; readonly holder: string }): Promise<void>;
  /** This process works at it no more: others may go on. */
  rest(address: string, holder: string): Promise<void>;
  /** Up to which mod-sequence each mailbox has come, by `mailboxId`. */
  marks(address: string): ReadonlyMap<string, number>;
  /** The messages that are in the account's mailboxes here already, by their numbers. */
  messageIds(address: string): ReadonlySet<number>;
  /** Writes a message's bytes; until they are `apply`d or `discard`ed. */
  write(address: string, message: { readonly messageId: number; readonly size: number; readonly structure: Buffer; readonly bytes: AsyncIterable<Buffer> }): Promise<ArrivedMessage>;
  discard(messages: readonly ArrivedMessage[]): void;
  /** Mailboxes as the source has them: new ones are made, renamed ones renamed, gone ones dropped. */
  shape(address: string, snapshot: AccountSnapshot): Promise<void>;
  /** One page enters, in one transaction. Throws `storage-failure` when a row's message neither came nor is here nor is gone. */
  apply(address: string, arrivals: Arrivals): Promise<void>;
  /** Counters, subscriptions and old names as the source has them: nothing is missing any more. */
  complete(address: string, snapshot: AccountSnapshot): Promise<void>;
  fingerprint(address: string): string;
  /** The account is owned here. Only when the source is sealed. */
  activate(address: string): Promise<void>;
  /** This process sees to what is left to do for an account that came, if anything is. Throws `in-use` while another living process does. */
  takeUp(address: string, holder: string): Promise<void>;
  /** The directory names this node, and what lies at the source was compared: nobody needs to come back to it. */
  finish(address: string): Promise<void>;
  /** Forgets what has come; with `copying` only while the copy is not whole. Never when the source may be sealed. */
  abandon(address: string, stage: 'copying' | 'any'): Promise<'gone' | 'stays'>;
}

export interface Transfers {
  readonly leaving: Leaving;
  readonly arriving: Arriving;
}
