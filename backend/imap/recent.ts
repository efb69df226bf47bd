/**
 * \Recent (RFC 3501 section 2.3.2): which messages are so to a session is settled when it opens the mailbox, and never changes then. IMAP4rev2 has
 * done away with it (RFC 9051 appendix E): who has enabled that hears nothing of it, but what he is told of is old to the next session all the same.
 */
import { lowerBound } from '../../shared/base/lower-bound.ts';
import type { Account, MailboxState } from '../storage/storage.ts';
import type { Session } from './session.ts';
import type { View } from './view.ts';

/** Says how many messages are recent, if the client does not know; who opens the mailbox from now on finds those old that it was told of, if it may change them. */
export function tellRecent(session: Session, view: View): void {
  const recent = view.count - lowerBound(view.uids, view.recentFrom);
  if (recent !== view.toldRecent && !session.isEnabled('IMAP4REV2')) session.output.line(`* ${String(recent)} RECENT`);
  view.toldRecent = recent;
  const newest = view.uids.at(-1);
  if (view.access === 'read-only' || newest === undefined || newest < view.opened.recentFrom) return; // the mark only grows
  view.mailbox.noteTold(newest + 1).catch((error: unknown) => session.log.error({ err: error }, 'what is not recent any more could not be noted'));
}

/** STATUS: those that would be recent to who opens the mailbox now, which the session that has it open has done already. */
export function countRecent(session: Session, { state, account }: { readonly state: MailboxState; readonly account: Account }): number {
  if (session.isEnabled('IMAP4REV2')) return 0;
  const mailbox = account.mailboxById(state.id);
  if (mailbox === undefined) return 0;
  const from = session.state.at === 'selected' && session.hasOpen({ account, mailbox }) ? session.state.view.recentFrom : state.recentFrom;
  if (from >= state.uidNext) return 0;
  const uids = mailbox.uids();
  return lowerBound(uids, state.uidNext) - lowerBound(uids, from);
}
