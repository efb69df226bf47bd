/** Removes messages from a mailbox for good (RFC 9051 section 6.4.3). */
import type { AccountChange } from './account-change.ts';
import { presentRows } from './copy-move.ts';

/** With their bytes; uids that are gone are skipped. Inside a transaction. */
export function expungeMessages(account: AccountChange, id: number, uids: readonly number[]): { readonly uids: number[]; readonly modseq: number } {
  const mailbox = account.mailbox(id);
  const rows = presentRows(mailbox, uids);
  for (const row of rows) {
    mailbox.remove(row);
    account.volume.messages.release(row.messageId);
  }
  return { uids: rows.map((row) => row.uid), modseq: rows.length === 0 ? mailbox.entry.highestModseq : mailbox.modseq };
}
