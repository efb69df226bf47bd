/**
 * Why a directory lets nobody in under a right password, read from its answer to a bind (pure). Active Directory puts a
 * Windows error code into the diagnostic message: `… AcceptSecurityContext error, data 532, v4563`. OpenLDAP's ppolicy overlay
 * answers with a control.
 */
import { resultCodes } from './ldap-errors.ts';
import type { ResultError } from './ldap-errors.ts';
import type { PolicyError } from './result-message.ts';

/**
 * What bars an account. `locked` is special: the directory says so whatever the password was (it no longer looks at it), so it
 * must not be told to somebody who has not shown the right one.
 */
export type AccountState = 'password-expired' | 'must-change' | 'disabled' | 'account-expired' | 'not-now' | 'not-from-here' | 'locked';

/**
 * Windows system error codes (MS-ERREF section 2.2), in the hexadecimal form that AD writes them in. 525 (no such user) and 52e (wrong
 * password) are left out on purpose: they must not be told apart.
 */
const activeDirectoryStates: ReadonlyMap<string, AccountState> = new Map([
  ['530', 'not-now'], ['531', 'not-from-here'], ['532', 'password-expired'], ['533', 'disabled'],
  ['701', 'account-expired'], ['773', 'must-change'], ['775', 'locked'],
]);
const subCode = /AcceptSecurityContext error, data (?<code>[0-9a-f]{1,8})\b/i;

const policyStates: Readonly<Partial<Record<PolicyError, AccountState>>> = {
  passwordExpired: 'password-expired', changeAfterReset: 'must-change', accountLocked: 'locked',
};

/** The state behind what a password policy said, to a bind that succeeded, too. */
export function policyState(policyError: PolicyError | undefined): AccountState | undefined {
  return policyError === undefined ? undefined : policyStates[policyError];
}

/** The state behind a refused bind; undefined for wrong credentials, and for everything that is not about the user. */
export function accountStateOf(error: ResultError): AccountState | undefined {
  if (error.resultCode !== resultCodes.invalidCredentials) return undefined;
  const code = subCode.exec(error.message)?.groups?.['code']?.toLowerCase() ?? '';
  return activeDirectoryStates.get(code) ?? policyState(error.policyError);
}
