/** Responses that name mailboxes: the name as this session wants it, STATUS (RFC 9051 section 7.3.4). */
import { Failure } from '../../shared/base/failure.ts';
import type { StatusItem } from '../../shared/imap/mailbox-arguments.ts';
import { encodeMailboxName } from '../../shared/imap/mailbox-name.ts';
import { formatName } from '../../shared/imap/strings.ts';
import type { Account, Mailbox, MailboxState } from '../storage/storage.ts';
import type { Session } from './session.ts';

/** A mailbox name as it stands in a response. */
export function formatMailbox(session: Session, name: string): string {
  return formatName(encodeMailboxName(name, session.names));
}

/** @throws mailbox-missing */
export function requireMailbox(account: Account, name: string): Mailbox {
  const mailbox = account.mailbox(name);
  if (mailbox === undefined) throw new Failure('mailbox-missing', 'no such mailbox');
  return mailbox;
}

const statusValues: Readonly<Record<StatusItem, (state: MailboxState) => string>> = {
  MESSAGES: (state) => String(state.messages),
  RECENT: () => '0',
  UIDNEXT: (state) => String(state.uidNext),
  UIDVALIDITY: (state) => String(state.uidValidity),
  UNSEEN: (state) => String(state.unseen),
  DELETED: (state) => String(state.deleted),
  SIZE: (state) => String(state.bytes),
  HIGHESTMODSEQ: (state) => String(state.highestModseq),
  MAILBOXID: (state) => `(${state.mailboxId})`,
};

/** The STATUS response. Asking for HIGHESTMODSEQ enables CONDSTORE (RFC 7162 section 3.1). */
export function statusLine(session: Session, state: MailboxState, items: readonly StatusItem[]): string {
  if (items.includes('HIGHESTMODSEQ')) session.enable('CONDSTORE');
  const values = items.map((item) => `${item} ${statusValues[item](state)}`).join(' ');
  return `* STATUS ${formatMailbox(session, state.name)} (${values})`;
}
