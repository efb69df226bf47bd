/** The one reading of "this mailbox is not here" that all our back-end dialogues share. */
import { Failure } from '../../shared/base/failure.ts';
import type { FailureKind } from '../../shared/base/failure.ts';

export interface BackendRefusal {
  readonly referral: string | undefined;
  readonly code: string;
  readonly text: string;
  /** Set where the back-end was asked whether a password is right. */
  readonly asked?: 'password' | undefined;
}

/**
 * Turns a back-end's refusal into a Failure. `referral` is the node the back-end named, `code` its response code
 * (RFC 5530, RFC 3206) in capitals; a refusal of an identity we vouch for is the back-end's trouble, not a wrong password.
 */
export function refusedByBackend(refusal: BackendRefusal): Failure {
  const cause = new Error(`back-end refused: [${refusal.code}] ${refusal.text}`);
  if (refusal.referral !== undefined) return new Failure('not-kept-here', 'the mailbox is on another node', { cause, node: refusal.referral });
  if (refusal.code === 'IN-USE' || refusal.code === 'INUSE') return new Failure('in-use', 'the mailbox is in use by another session', { cause });
  if (refusal.code === 'LOGIN-DELAY') return new Failure('too-soon', refusal.text, { cause });
  if (refusal.code === 'LIMIT' || refusal.code === 'SYS/TEMP/LIMIT') return new Failure('limit', refusal.text, { cause });
  const verdict = refusal.asked === 'password' ? ofPassword(refusal, cause) : undefined;
  // Also of a user whom we vouch for the node knows whether it may log in.
  const barred = refusal.code === 'CONTACTADMIN' || refusal.code === 'AUTH/DISABLED' ? new Failure('account-disabled', refusal.text, { cause }) : undefined;
  const unknown = refusal.asked === undefined && (refusal.code === 'NONEXISTENT' || refusal.code === 'AUTH/UNKNOWN') ? new Failure('unknown-user', 'no such user', { cause }) : undefined;
  return verdict ?? barred ?? unknown ?? new Failure('backend-unavailable', 'the mailbox can not be opened now', { cause });
}

/** Codes of RFC 5530 and RFC 3206; what stands behind the stroke is our nodes' own detail (RFC 2449 section 8). */
const barredBy: ReadonlyMap<string, FailureKind> = new Map([
  ['EXPIRED', 'password-expired'], ['AUTH/EXPIRED', 'password-expired'],
  ['CONTACTADMIN', 'account-disabled'], ['AUTH/DISABLED', 'account-disabled'], ['SYS/PERM', 'account-disabled'],
]);

/** What the code says of the user who gave a password; undefined when it is about something else. */
function ofPassword({ code, text }: BackendRefusal, cause: Error): Failure | undefined {
  const barred = barredBy.get(code);
  if (barred !== undefined) return new Failure(barred, text, { cause });
  return code === 'AUTHENTICATIONFAILED' || code === 'AUTH' ? new Failure('bad-credentials', 'wrong user name or password', { cause }) : undefined;
}
