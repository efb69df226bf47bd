/** The one reading of "this mailbox is not here" that all our back-end dialogues share. */
import { Failure } from '../../shared/base/failure.ts';

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
  if (refusal.code === 'LIMIT') return new Failure('limit', refusal.text, { cause });
  if (refusal.asked === 'password' && refusal.code === 'EXPIRED') return new Failure('password-expired', refusal.text, { cause });
  if (refusal.asked === 'password' && (refusal.code === 'AUTHENTICATIONFAILED' || refusal.code === 'AUTH')) return new Failure('bad-credentials', 'wrong user name or password', { cause });
  return new Failure('backend-unavailable', 'the mailbox can not be opened now', { cause });
}
