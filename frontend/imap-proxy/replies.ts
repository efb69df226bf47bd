/** The one place where a failure before login becomes an IMAP response (codes of RFC 5530). */
import { isFailure, withRetry } from '../../shared/base/failure.ts';
import type { FailureKind } from '../../shared/base/failure.ts';

const codes: Partial<Record<FailureKind, string>> = {
  'bad-credentials': '[AUTHENTICATIONFAILED] ',
  'password-expired': '[EXPIRED] ',
  'account-disabled': '[CONTACTADMIN] ',
  'service-denied': '[CONTACTADMIN] ',
  'account-locked': '[CONTACTADMIN] ',
  'privacy-required': '[PRIVACYREQUIRED] ',
  'in-use': '[INUSE] ',
  limit: '[LIMIT] ',
  'directory-unavailable': '[UNAVAILABLE] ',
  'backend-unavailable': '[UNAVAILABLE] ',
  'not-kept-here': '[UNAVAILABLE] ',
  'shutting-down': '[UNAVAILABLE] ',
};

/** Status, code and text, without tag and CRLF: `NO [UNAVAILABLE] …`, or `BAD …` for input that can't be understood. */
export function replyFor(error: unknown, session: string): string {
  if (!isFailure(error)) return `NO [SERVERBUG] internal error, reference ${session}`;
  if (error.kind === 'bad-input') return `BAD ${error.message}`;
  return `NO ${codes[error.kind] ?? ''}${withRetry(error.message, error, '; try again later')}`;
}
