/** Copies and moves messages between mailboxes of one account; bytes stay where they are. */
import type { AccountChange } from './account-change.ts';
import type { MailboxChange } from './mailbox-change.ts';
import type { CopyResult, MessageRow } from './interface.ts';

/** Which messages go where. */
export interface Transfer {
  readonly source: number;
  readonly target: number;
  readonly uids: readonly number[];
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

function transferMessages(change: AccountChange, transfer: Transfer, leave: (row: MessageRow) => void): CopyResult {
  const source = change.mailbox(transfer.source);
  const target = change.mailbox(transfer.target);
  const rows = presentRows(source, transfer.uids);
  const savedDateMs = Date.now();
  const uids = rows.map((row) => {
    leave(row);
    return target.add({ ...row, savedDateMs, keywords: target.keywordBits(source.keywordNames(row.keywords)) });
  });
  return { uidValidity: target.entry.uidValidity, uids, sourceUids: rows.map((row) => row.uid) };
}

/** The rows that there are of these uids, each once, ascending. */
export function presentRows(mailbox: MailboxChange, uids: readonly number[]): MessageRow[] {
  const wanted = [...new Set(uids)].sort((one, other) => one - other);
  return wanted.flatMap((uid) => mailbox.row(uid) ?? []);
}
