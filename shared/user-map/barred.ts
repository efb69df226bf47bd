/** The words for accounts that a directory lets nobody into, and the failure that bears them. */
import { Failure, isFailure } from '../base/failure.ts';
import type { FailureKind } from '../base/failure.ts';
import type { AccountState } from '../ldap/account-state.ts';

const words: Readonly<Record<AccountState, readonly [FailureKind, string]>> = {
  'password-expired': ['password-expired', 'The password has expired and must be changed.'],
  'must-change': ['password-expired', 'The password must be changed before it can be used.'],
  disabled: ['account-disabled', 'The account is disabled. Ask your administrator.'],
  'account-expired': ['account-disabled', 'The account has expired. Ask your administrator.'],
  'not-now': ['account-disabled', 'This account may not log in at this time.'],
  'not-from-here': ['account-disabled', 'This account may not log in here. Ask your administrator.'],
  locked: ['account-locked', 'The account is locked after too many wrong passwords. Wait, or ask your administrator.'],
};

export function barred(state: AccountState): Failure {
  const [kind, text] = words[state];
  return new Failure(kind, text);
}

/**
 * Whether a check of a password ended with an account that is barred. But for `account-locked` the password was right; of a
 * locked account no directory says whether it was, so who tells a client of it must know that by other means.
 */
export function isBarred(thrown: unknown): thrown is Failure {
  return isFailure(thrown, 'password-expired') || isFailure(thrown, 'account-disabled') || isFailure(thrown, 'service-denied') || isFailure(thrown, 'account-locked');
}
