/** The SMTP proxy's one place where what went wrong becomes a reply (codes of RFC 5321, RFC 3463, RFC 4954). */
import { isFailure } from '../../shared/base/failure.ts';
import type { FailureKind } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { makeReply } from '../../shared/smtp/reply.ts';
import type { Reply } from '../../shared/smtp/reply.ts';
import { OutcomeUnknown, SmtpRefused } from '../../shared/smtp/refusal.ts';
import { isBarred } from '../../shared/user-map/barred.ts';

const backendAway = makeReply(451, '4.4.1', 'the mail server behind does not answer, try again later');

const byKind: Readonly<Record<FailureKind, Reply>> = {
  'bad-credentials': makeReply(535, '5.7.8', 'authentication failed'),
  'password-expired': makeReply(535, '5.7.8', 'the password has expired and must be changed'),
  'account-disabled': makeReply(525, '5.7.13', 'the account is disabled'),
  'account-locked': makeReply(525, '5.7.13', 'the account is locked'),
  'service-denied': makeReply(525, '5.7.1', 'this account may not send mail, ask your administrator'),
  'mailbox-disabled': makeReply(550, '5.2.1', 'mailbox is disabled, it takes no mail'),
  'password-refused': makeReply(535, '5.7.8', 'the new password is refused'),
  'privacy-required': makeReply(538, '5.7.11', 'encryption required'),
  'unknown-user': makeReply(550, '5.1.1', 'no such user here'),
  'foreign-domain': makeReply(550, '5.7.1', 'relaying denied'),
  'directory-unavailable': makeReply(451, '4.4.3', 'the directory does not answer, try again later'),
  'backend-unavailable': backendAway,
  'not-kept-here': makeReply(451, '4.3.5', 'the mailbox is being moved, try again later'),
  'bad-input': makeReply(501, '5.5.4', 'syntax error in the address'),
  'message-too-big': makeReply(552, '5.3.4', 'message too big'),
  'over-quota': makeReply(452, '4.2.2', 'mailbox full'),
  'storage-full': makeReply(452, '4.3.1', 'out of space, try again later'),
  'storage-failure': makeReply(451, '4.3.0', 'the message could not be stored, try again later'),
  'mailbox-missing': makeReply(550, '5.2.1', 'no such mailbox'),
  'mailbox-exists': makeReply(451, '4.3.0', 'try again later'),
  'use-refused': makeReply(451, '4.3.0', 'try again later'),
  forbidden: makeReply(553, '5.7.1', 'not allowed to send with this address'),
  limit: makeReply(450, '4.7.0', 'too much at once, try again later'),
  'in-use': makeReply(450, '4.2.0', 'mailbox in use, try again later'),
  'too-soon': makeReply(450, '4.7.0', 'too soon after the last login, try again later'),
  'timed-out': makeReply(451, '4.4.2', 'timed out, try again later'),
  'shutting-down': makeReply(421, '4.3.2', 'shutting down'),
};

/** The reply to whatever a handler threw. What is a fault of ours goes to the log whole, to the client as a reference. */
export function replyTo(thrown: unknown, context: { readonly sessionId: string; readonly log: Logger }): Reply {
  if (thrown instanceof SmtpRefused) return passedOn(thrown.reply);
  if (thrown instanceof OutcomeUnknown) return backendAway;
  if (isBarred(thrown)) return makeReply(byKind[thrown.kind].code, byKind[thrown.kind].enhanced, thrown.message);
  if (isFailure(thrown)) return byKind[thrown.kind];
  context.log.error({ err: thrown, session: context.sessionId }, 'internal error');
  return makeReply(451, '4.3.0', `internal error, reference ${context.sessionId}`);
}

/** The reply to a failed AUTH: an outage is 454, never "wrong password" (RFC 4954 section 6). */
export function replyToAuthentication(thrown: unknown): unknown {
  if (isFailure(thrown, 'bad-input')) return new SmtpRefused('auth', makeReply(501, '5.5.2', thrown.message));
  const outage = isFailure(thrown) && thrown.temporary;
  return outage ? new SmtpRefused('auth', makeReply(454, '4.7.0', 'the password can not be checked now, try again later')) : thrown;
}

/**
 * A back-end's reply as the client shall see it: 421 would end the client's session, which a back-end must not do, and a
 * referral names our nodes.
 */
function passedOn(reply: Reply): Reply {
  if (reply.code === 421) return backendAway;
  return reply.enhanced === '4.3.5' ? byKind['not-kept-here'] : reply;
}
