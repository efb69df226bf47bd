/** Items of FETCH that the row of a message tells, which the index has at hand. */
import { formatDateTime } from '../../shared/imap/dates.ts';
import type { FetchItem, RowItem } from '../../shared/imap/fetch-items.ts';
import type { MessageRow } from '../storage/storage.ts';
import type { Selected } from './command.ts';
import { messageLead } from './news.ts';
import type { Numbered, View } from './view.ts';

export const rowValues: Readonly<Record<RowItem, (row: MessageRow, view: View) => string>> = {
  UID: (row) => `UID ${String(row.uid)}`,
  FLAGS: (row, view) => `FLAGS ${view.flagTexts.of(row)}`,
  INTERNALDATE: (row) => `INTERNALDATE ${formatDateTime(row.internalDateMs)}`,
  'RFC822.SIZE': (row) => `RFC822.SIZE ${String(row.size)}`,
  MODSEQ: (row) => `MODSEQ (${String(row.modseq)})`,
  EMAILID: (row) => `EMAILID (M${String(row.messageId)})`,
  THREADID: (row) => `THREADID (T${String(row.threadId)})`,
  SAVEDATE: (row) => `SAVEDATE ${formatDateTime(row.savedDateMs)}`,
};

/** Of items of rows alone. */
export function rowResponse(view: View, items: readonly FetchItem[], message: Numbered): string {
  const { row } = message;
  let text = messageLead(view, message);
  let separator = '';
  for (const item of items) {
    if (item.kind !== 'row') continue;
    text += separator + rowValues[item.name](row, view);
    separator = ' ';
  }
  return `${text})`;
}

/** Items about \Seen that was just set, as far as they were not asked for anyway: with mod-sequences always the uid, too (RFC 7162 section 3.2.4), unless the response begins with it. */
export function missingFlags({ session, view }: Selected, items: readonly FetchItem[]): FetchItem[] {
  if (!session.isEnabled('CONDSTORE')) return missing(['FLAGS'], items);
  return missing(view.numbering === 'uids' ? ['FLAGS', 'MODSEQ'] : ['UID', 'FLAGS', 'MODSEQ'], items);
}

/** Those that are not among the items. */
export function missing(names: readonly RowItem[], items: readonly FetchItem[]): FetchItem[] {
  return names.filter((name) => !items.some((item) => item.kind === 'row' && item.name === name)).map((name) => ({ kind: 'row', name }));
}
