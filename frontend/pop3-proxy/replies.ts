/** The one place where a failure becomes a POP3 reply (response codes of RFC 2449 section 8 and RFC 3206). */
import { isFailure, withRetry } from '../../shared/base/failure.ts';
import type { FailureKind } from '../../shared/base/failure.ts';
import type { Language } from '../../shared/language/language.ts';
import { loginTexts, wordsOf } from '../../shared/pop3/texts.ts';

const codes: Partial<Record<FailureKind, string>> = {
  'bad-credentials': '[AUTH] ',
  'password-expired': '[AUTH] ',
  'account-disabled': '[AUTH] ',
  'service-denied': '[AUTH] ',
  'account-locked': '[AUTH] ',
  'in-use': '[IN-USE] ',
  'too-soon': '[LOGIN-DELAY] ',
  'directory-unavailable': '[SYS/TEMP] ',
  'backend-unavailable': '[SYS/TEMP] ',
  'not-kept-here': '[SYS/TEMP] ',
  'shutting-down': '[SYS/TEMP] ',
  limit: '[SYS/TEMP] ',
};

/** An `-ERR` line without its CRLF. */
export function replyFor(error: unknown, session: string, language: Language = 'en'): string {
  const words = wordsOf(error, language, session);
  if (!isFailure(error)) return `-ERR [SYS/TEMP] ${words}`;
  return `-ERR ${codes[error.kind] ?? ''}${withRetry(words, error, loginTexts[language].tryLater)}`;
}
