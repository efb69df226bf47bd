/** The one place where failures become SMTP and LMTP words on a back-end. */
import { Failure } from '../../shared/base/failure.ts';
import type { FailureKind } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { makeReply } from '../../shared/smtp/reply.ts';
import type { Reply } from '../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../shared/smtp/refusal.ts';
import { isBarred } from '../../shared/user-map/barred.ts';

type Words = readonly [code: number, enhanced: string, text: string];

/** RFC 5321 section 4.2.3, RFC 3463, RFC 4954 section 6. Whether a reply is temporary follows `Failure.temporary`; `over-quota` is left to the sender's patience. */
const words: Readonly<Record<FailureKind, Words>> = {
  'bad-credentials': [535, '5.7.8', 'authentication failed'],
  'password-expired': [535, '5.7.8', 'the password has expired and must be changed'],
  'account-disabled': [525, '5.7.13', 'account is disabled'],
  'account-locked': [525, '5.7.13', 'account is locked'],
  'service-denied': [525, '5.7.1', 'this account may not do that, ask your administrator'],
  'mailbox-disabled': [550, '5.2.1', 'mailbox is disabled, it takes no mail'],
  'password-refused': [535, '5.7.8', 'the new password is refused'],
  'privacy-required': [538, '5.7.11', 'encryption required'],
  'unknown-user': [550, '5.1.1', 'no such user here'],
  'foreign-domain': [550, '5.7.1', 'not our domain, relaying denied'],
  'directory-unavailable': [451, '4.4.3', 'directory not available, try again later'],
  'backend-unavailable': [451, '4.4.1', 'the server of this mailbox can not be reached, try again later'],
  'not-kept-here': [451, '4.3.5', 'the mailbox is not kept here'],
  'bad-input': [501, '5.5.2', 'can not be understood'],
  'message-too-big': [552, '5.3.4', 'message too big'],
  'over-quota': [452, '4.2.2', 'mailbox is full'],
  'storage-full': [452, '4.3.1', 'not enough space, try again later'],
  'storage-failure': [451, '4.3.0', 'storage not available, try again later'],
  'mailbox-missing': [451, '4.2.0', 'mailbox is being changed, try again later'],
  'mailbox-exists': [451, '4.2.0', 'mailbox is being changed, try again later'],
  'use-refused': [451, '4.2.0', 'mailbox is being changed, try again later'],
  forbidden: [550, '5.7.1', 'not allowed'],
  limit: [452, '4.5.3', 'too much at once, try again later'],
  'in-use': [450, '4.2.0', 'mailbox is in use, try again later'],
  'too-soon': [450, '4.7.0', 'too soon after the last login, try again later'],
  'timed-out': [451, '4.4.2', 'timed out'],
  'shutting-down': [421, '4.3.2', 'server is shutting down'],
};

/** The reply to whatever was thrown. A fault of ours goes to the log, whole, under the session's id. */
export function replyTo(thrown: unknown, { sessionId, log }: { readonly sessionId: string; readonly log: Logger }): Reply {
  if (thrown instanceof SmtpRefused) return thrown.reply;
  if (isBarred(thrown)) {
    // With the directory's reason. A front-end tells an expired password from a wrong one by the word in brackets.
    const [code, enhanced] = words[thrown.kind];
    return makeReply(code, enhanced, `${thrown.kind === 'password-expired' ? '[EXPIRED] ' : ''}${thrown.message}`);
  }
  if (!(thrown instanceof Failure)) {
    log.error({ err: thrown, session: sessionId }, 'internal error');
    return makeReply(451, '4.3.0', `internal error, reference ${sessionId}`);
  }
  const [code, enhanced, text] = words[thrown.kind];
  if (thrown.kind !== 'not-kept-here') return makeReply(code, enhanced, text);
  return makeReply(code, enhanced, thrown.node === undefined ? text : `<referral ${thrown.node}> ${text}`);
}
