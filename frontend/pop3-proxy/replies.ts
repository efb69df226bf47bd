/** The one place where a failure becomes a POP3 reply (response codes of RFC 2449 section 8 and RFC 3206). */
import { isFailure } from '../../shared/base/failure.ts';
import type { FailureKind } from '../../shared/base/failure.ts';

const codes: Partial<Record<FailureKind, string>> = {
  'bad-credentials': '[AUTH] ',
  'password-expired': '[AUTH] ',
  'account-disabled': '[AUTH] ',
  'service-denied': '[AUTH] ',
  'account-locked': '[AUTH] ',
  'in-use': '[IN-USE] ',
  'directory-unavailable': '[SYS/TEMP] ',
  'backend-unavailable': '[SYS/TEMP] ',
  'not-kept-here': '[SYS/TEMP] ',
  'shutting-down': '[SYS/TEMP] ',
  limit: '[SYS/TEMP] ',
};

/** An `-ERR` line without its CRLF. */
export function replyFor(error: unknown, session: string): string {
  if (!isFailure(error)) return `-ERR [SYS/TEMP] internal error, reference ${session}`;
  const retry = error.temporary ? '; try again later' : '';
  return `-ERR ${codes[error.kind] ?? ''}${error.message}${retry}`;
}
