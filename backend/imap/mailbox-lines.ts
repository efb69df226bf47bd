/** Responses that name mailboxes: the name as this session wants it, STATUS (RFC 9051 section 7.3.4). */
import { Failure } from '../../shared/base/failure.ts';
import type { StatusItem } from '../../shared/imap/mailbox-arguments.ts';
import { encodeMailboxName } from '../../shared/imap/mailbox-name.ts';
import { formatName } from '../../shared/imap/strings.ts';
import { Flag } from '../storage/storage.ts';
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

const statusValues: Readonly<Record<StatusItem, (state: MailboxState, session: Session) => string>> = {
  MESSAGES: (state) => String(state.messages),
  RECENT: () => '0',
  UIDNEXT: (state) => String(state.uidNext),
  UIDVALIDITY: (state) => String(state.uidValidity),
  UNSEEN: (state) => String(state.unseen),
  DELETED: (state) => String(state.deleted),
  SIZE: (state) => String(state.bytes),
  HIGHESTMODSEQ: (state) => String(state.highestModseq),
  MAILBOXID: (state) => `(${state.mailboxId})`,
  'DELETED-STORAGE': (state, session) => String(deletedBytes(state, session.account)),
  APPENDLIMIT: (_state, session) => String(session.options.limits.maxMessageBytes),
};

/** What an EXPUNGE would free (RFC 9208 section 4.1.4). */
function deletedBytes({ id, deleted }: MailboxState, account: Account): number {
  if (deleted === 0) return 0;
  return (account.mailboxById(id)?.rows() ?? []).reduce((sum, { flags, size }) => ((flags & Flag.Deleted) === 0 ? sum : sum + size), 0);
}

/** The STATUS response. Asking for HIGHESTMODSEQ enables CONDSTORE (RFC 7162 section 3.1). */
export function statusLine(session: Session, state: MailboxState, items: readonly StatusItem[]): string {
  if (items.includes('HIGHESTMODSEQ')) session.enable('CONDSTORE');
  return unaskedStatusLine(session, state, items);
}

/** The same where the client asked for no items. */
export function unaskedStatusLine(session: Session, state: MailboxState, items: readonly StatusItem[]): string {
  const values = items.map((item) => `${item} ${statusValues[item](state, session)}`).join(' ');
  return `* STATUS ${formatMailbox(session, state.name)} (${values})`;
}
