/** What the workers of the torture do, the lines in which they write it down, and the messages they make up. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FlagTrace } from './flag-traces.ts';

/** A made-up message: its bytes follow from these two. */
export interface MadeMessage {
  readonly token: string;
  readonly bytes: number;
}

/** Of a message that is streamed into a pack of its own, which an `fdatasync` settles (`wholeUpToBytes` of open-packs.ts). */
export const largeBytes = 300_000;

export interface FlagAction {
  readonly kind: 'flag';
  readonly box: string;
  readonly uids: readonly number[];
  readonly mode: 'add' | 'remove' | 'replace';
  readonly flags: number;
  readonly keywords: readonly string[];
  /** Messages with a higher mod-sequence are left alone. */
  readonly unchangedSince?: number;
}

/** A change of mailboxes. `box` and `to` are names; a lane changes only mailboxes of its own, and INBOX. */
export type Action =
  | { readonly kind: 'append'; readonly box: string; readonly messages: readonly MadeMessage[]; readonly flags: number }
  | FlagAction
  | { readonly kind: 'expunge'; readonly box: string; readonly uids: readonly number[] }
  | { readonly kind: 'copy' | 'move'; readonly box: string; readonly uids: readonly number[]; readonly to: string }
  | { readonly kind: 'create' | 'delete'; readonly box: string }
  | { readonly kind: 'rename'; readonly box: string; readonly to: string }
  /** Into the INBOX that all share. */
  | { readonly kind: 'deliver'; readonly message: MadeMessage }
  /** Expunges from it what the lane had delivered. */
  | { readonly kind: 'discard'; readonly token: string; readonly uid: number }
  /** Sets the keyword that has the lane's name in the INBOX, or takes it away. */
  | { readonly kind: 'mark'; readonly uids: readonly number[]; readonly mode: 'add' | 'remove' }
  /** Deletes dead packs. */
  | { readonly kind: 'tidy' };

/** What a worker was answered. */
export interface Answer {
  readonly uids: readonly number[];
  readonly uidValidity?: number;
  /** HIGHESTMODSEQ of the mailbox that was changed, as seen after the answer. */
  readonly highestModseq?: number;
  /** Of a change of flags, as far as anything was kept beside the rows. */
  readonly flagTrace?: FlagTrace | undefined;
}

/** One line of a ledger: written before the storage is asked, and after it has answered. */
export type LedgerLine =
  | { readonly at: 'start'; readonly pid: number }
  | { readonly at: 'begin'; readonly lane: string; readonly action: Action }
  | { readonly at: 'done'; readonly lane: string; readonly answer: Answer }
  | { readonly at: 'refused'; readonly lane: string; readonly kind: string }
  | { readonly at: 'end' };

export function bytesOfMade({ token, bytes }: MadeMessage): Buffer {
  const head = `From: a@example.com\r\nMessage-ID: <${token}@example.com>\r\nSubject: ${token}\r\n\r\n`;
  const line = `${token} ${createHash('sha256').update(token).digest('hex')}\r\n`;
  return Buffer.from(head + line.repeat(Math.max(1, Math.ceil((bytes - head.length) / line.length))));
}

export function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The lines of a ledger file; a last one that was cut does not count. */
export function readLedger<T>(path: string): T[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as T);
}
