/** Copies and moves messages between mailboxes of one account; bytes stay where they are. */
import type { AccountChange } from './account-change.ts';
import type { MailboxChange } from './mailbox-change.ts';
import type { CopyResult, FlagMask, MessageRow } from './interface.ts';

/** Which messages go where. */
export interface Transfer {
  readonly source: number;
  readonly target: number;
  readonly uids: readonly number[];
  /** Which flags the new rows bear; all when absent. */
  readonly within?: FlagMask | undefined;
}

/** The bits that a mask lets through. */
export function bitsWithin(within: FlagMask | undefined): { readonly flags: number; readonly keywords: number } {
  return within === undefined ? { flags: -1, keywords: -1 } : { flags: within.flags, keywords: within.keywords === 'all' ? -1 : 0 };
}

/** Copies; uids that are gone are skipped. The new rows bear the same flags and dates. Inside a transaction. */
export function copyMessages(change: AccountChange, transfer: Transfer): CopyResult {
  return transferMessages(change, transfer, (row) => change.volume.messages.retain(row.messageId));
}

/** Copies and expunges (RFC 6851 section 3.3). Inside a transaction. */
export function moveMessages(change: AccountChange, transfer: Transfer): CopyResult {
  const source = change.mailbox(transfer.source);
  return transferMessages(change, transfer, (row) => source.remove(row));
}

/** As a move, out of a mailbox that nobody sees: its rows are the caller's to forget. Inside a transaction. */
export function takeOverMessages(change: AccountChange, transfer: Transfer): CopyResult {
  return transferMessages(change, transfer, () => undefined);
}

function transferMessages(change: AccountChange, transfer: Transfer, leave: (row: MessageRow) => void): CopyResult {
  const source = change.mailbox(transfer.source);
  const target = change.mailbox(transfer.target);
  const rows = presentRows(source, transfer.uids);
  const within = bitsWithin(transfer.within);
  const savedDateMs = Date.now();
  const uids = rows.map((row) => {
    leave(row);
    const keywords = target.keywordBits(source.keywordNames(row.keywords & within.keywords), 'left-out');
    return target.add({ ...row, savedDateMs, flags: row.flags & within.flags, keywords });
  });
  return { uidValidity: target.entry.uidValidity, uids, sourceUids: rows.map((row) => row.uid) };
}

/** The rows that there are of these uids, each once, ascending. */
export function presentRows(mailbox: MailboxChange, uids: readonly number[]): MessageRow[] {
  const wanted = [...new Set(uids)].sort((one, other) => one - other);
  return wanted.flatMap((uid) => mailbox.row(uid) ?? []);
}
