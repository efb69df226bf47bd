/** Responses that name mailboxes: the name as this session wants it, LIST and STATUS (RFC 9051 sections 7.3.1 and 7.3.4), METADATA that was not asked for (RFC 5464 section 4.4.2). */
import type { StatusItem } from '../../shared/imap/mailbox-arguments.ts';
import { encodeMailboxName } from '../../shared/imap/mailbox-name.ts';
import { formatAstring, formatName } from '../../shared/imap/strings.ts';
import { Flag } from '../storage/storage.ts';
import type { Account, MailboxState } from '../storage/storage.ts';
import type { Changed } from './mailbox-events.ts';
import { countRecent } from './recent.ts';
import type { Session } from './session.ts';

/** A mailbox name as it stands in a response. */
export function formatMailbox(session: Session, name: string): string {
  return formatName(wireName(session, name));
}

/** The same without quotes. */
export function wireName(session: Session, name: string): string {
  return encodeMailboxName(name, session.names);
}

/** A LIST response. */
export interface ListedName {
  readonly name: string;
  /** As the client knows it so far; undefined if by no other one. */
  readonly oldName: string | undefined;
  readonly attributes: readonly string[];
}

export function listedLine(session: Session, { name, oldName, attributes }: ListedName): string {
  return wireListed({ name: wireName(session, name), oldName: oldName === undefined ? undefined : wireName(session, oldName), attributes });
}

/** The same of names as they stand on the wire. */
export function wireListed({ name, oldName, attributes }: ListedName): string {
  return `* LIST (${attributes.join(' ')}) "/" ${formatName(name)}${oldName === undefined ? '' : oldNameItem(oldName)}`;
}

/** RFC 9051 section 6.3.9.7, behind the name. @param oldName as it stands on the wire */
export function oldNameItem(oldName: string): string {
  return ` ("OLDNAME" (${formatName(oldName)}))`;
}

/** Which entries of a mailbox have changed. @param name as it stands on the wire */
export function changedEntriesLine(name: string, entries: readonly string[]): string {
  return `* METADATA ${formatName(name)} ${entries.map(formatAstring).join(' ')}`;
}

/** A response of another node: where it is LIST, with what that node can't know, since the user subscribes on his own one (RFC 5465 section 5.4). */
export function withSubscription(session: Session, line: string): string {
  const [, attributes, named] = /^\* LIST \(([^)]*)\) "\/" (.+)$/.exec(line) ?? [];
  if (attributes === undefined || named === undefined) return line;
  const isSubscribed = session.account.subscriptions().map((name) => formatMailbox(session, name)).some((name) => named === name || named.startsWith(`${name} (`));
  return isSubscribed ? `* LIST (${[attributes, '\\Subscribed'].join(' ').trimStart()}) "/" ${named}` : line;
}

/** A mailbox, and the account that has it. */
export interface StateAt {
  readonly state: MailboxState;
  readonly account: Account;
}

const statusValues: Readonly<Record<StatusItem, (of: StateAt, session: Session) => string>> = {
  MESSAGES: ({ state }) => String(state.messages),
  RECENT: (of, session) => String(countRecent(session, of)),
  UIDNEXT: ({ state }) => String(state.uidNext),
  UIDVALIDITY: ({ state }) => String(state.uidValidity),
  UNSEEN: ({ state }) => String(state.unseen),
  DELETED: ({ state }) => String(state.deleted),
  SIZE: ({ state }) => String(state.bytes),
  HIGHESTMODSEQ: ({ state }) => String(state.highestModseq),
  MAILBOXID: ({ state }) => `(${state.mailboxId})`,
  'DELETED-STORAGE': (of) => String(deletedBytes(of)),
  APPENDLIMIT: (_of, session) => String(session.options.limits.maxMessageBytes),
};

/** What an EXPUNGE would free (RFC 9208 section 4.1.4). */
function deletedBytes({ state, account }: StateAt): number {
  if (state.deleted === 0) return 0;
  return (account.mailboxById(state.id)?.rows() ?? []).reduce((sum, { flags, size }) => ((flags & Flag.Deleted) === 0 ? sum : sum + size), 0);
}

/** The STATUS response. Asking for HIGHESTMODSEQ enables CONDSTORE (RFC 7162 section 3.1). */
export function statusLine(session: Session, of: StateAt, items: readonly StatusItem[]): string {
  if (items.includes('HIGHESTMODSEQ')) session.enable('CONDSTORE');
  return unaskedStatusLine(session, of, items);
}

/** The same where the client asked for no items. */
export function unaskedStatusLine(session: Session, of: StateAt, items: readonly StatusItem[]): string {
  const values = items.map((item) => `${item} ${statusValues[item](of, session)}`).join(' ');
  return `* STATUS ${formatMailbox(session, of.state.name)} (${values})`;
}

/** What of it is told by NOTIFY of a mailbox that is not open (RFC 5465 sections 5.1 to 5.3). */
export function statusItems(changed: ReadonlySet<Changed>, wanted: { readonly flags: boolean; readonly modseq: boolean }): StatusItem[] {
  const items = new Set<StatusItem>();
  if (changed.has('messages')) items.add('MESSAGES').add('UIDNEXT');
  if (changed.has('uidvalidity')) items.add('MESSAGES').add('UIDNEXT').add('UIDVALIDITY');
  if (wanted.flags && changed.has('unseen')) items.add('UIDVALIDITY').add('UNSEEN');
  if (wanted.flags && wanted.modseq && changed.has('flags')) items.add('UIDVALIDITY').add('HIGHESTMODSEQ');
  if (wanted.modseq && changed.has('messages')) items.add('HIGHESTMODSEQ');
  return [...items];
}
