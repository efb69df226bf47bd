/** POP3 replies: the one place where a failure becomes one (response codes of RFC 2449 section 8 and RFC 3206). */
import { isFailure } from '../../shared/base/failure.ts';
import type { FailureKind } from '../../shared/base/failure.ts';
import type { Language } from '../../shared/language/language.ts';
import { Refusal, wordsOf } from '../../shared/pop3/texts.ts';

const codes: Partial<Record<FailureKind, 'AUTH' | 'AUTH/EXPIRED' | 'AUTH/DISABLED' | 'AUTH/UNKNOWN' | 'IN-USE' | 'LOGIN-DELAY' | 'SYS/TEMP' | 'SYS/TEMP/LIMIT' | 'SYS/PERM'>> = {
  'bad-credentials': 'AUTH',
  'unknown-user': 'AUTH/UNKNOWN', // told to front-ends alone, of users whom they vouch for
  // RFC 2449 section 8: clients ignore the detail behind the stroke; a front-end reads it.
  'password-expired': 'AUTH/EXPIRED',
  'account-disabled': 'AUTH/DISABLED',
  'service-denied': 'AUTH/DISABLED',
  'account-locked': 'AUTH',
  'in-use': 'IN-USE',
  'too-soon': 'LOGIN-DELAY',
  'directory-unavailable': 'SYS/TEMP',
  'backend-unavailable': 'SYS/TEMP',
  'not-kept-here': 'SYS/TEMP',
  'storage-full': 'SYS/TEMP',
  'storage-failure': 'SYS/TEMP',
  'shutting-down': 'SYS/TEMP',
  limit: 'SYS/TEMP/LIMIT', // so that a front-end tells the reason
  'mailbox-missing': 'SYS/PERM',
  forbidden: 'SYS/PERM',
};

/** The `-ERR` line, without CRLF, that tells the client of an error. Unknown ones only name the session, under which the log has them whole. */
export function replyFor(error: unknown, session: string, language: Language): string {
  const words = wordsOf(error, language, session);
  if (!isFailure(error)) return `-ERR [SYS/TEMP] ${words}`;
  // A front-end reads the node's name; see the room frontend/pop3-proxy.
  const referral = error.node === undefined ? '' : `referral ${error.node} `;
  const code = codes[error.kind];
  const shown = language === 'en' && !(error instanceof Refusal) ? words.replace(/[^\x20-\x7e]/g, '?') : words;
  return `-ERR ${code === undefined ? '' : `[${code}] `}${referral}${shown.slice(0, 400)}`;
}
