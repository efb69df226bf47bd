/** What a client knows of its open mailbox, and what it remembers of those that it left. */
import type { Follower } from './follower-model.ts';
import type { ModelMailbox } from './mailbox-model.ts';
import type { KnownRecent } from './recent-model.ts';

export type Numbering = 'sequence and uids' | 'uids';

/** The open mailbox. */
export interface OpenView {
  readonly mailbox: ModelMailbox;
  readonly access: 'read-write' | 'read-only';
  readonly uidValidity: number;
  /** How messages are named: `uids` after ENABLE UIDONLY (RFC 9586). */
  numbering: Numbering;
  /** By sequence number. */
  readonly uids: number[];
  /** What the client was told, by uid. */
  readonly flags: Map<number, ReadonlySet<string>>;
  readonly modseqs: Map<number, number>;
  /** What `$` stands for (RFC 5182): uids, ascending; some may be gone. */
  saved: readonly number[];
  readonly recent: KnownRecent;
  /** Results that are kept up to date, by tag. */
  readonly followers: Map<string, Follower>;
  /** Still to be told. */
  readonly gone: Set<number>;
  readonly arrived: number[];
  readonly changed: Set<number>;
  /** May be told once more: the client knows how they are, but perhaps not of the last change that left them so. */
  readonly retold: Set<number>;
  /** To this one all is told, expunges included. */
  syncedModseq: number;
  /** To this one all is told but for expunges. */
  heardModseq: number;
}

/** What a client remembers of a mailbox that it left (RFC 7162 section 3.2.5). */
export interface Memory {
  readonly mailbox: ModelMailbox;
  readonly uidValidity: number;
  readonly modseq: number;
  readonly uids: readonly number[];
}
