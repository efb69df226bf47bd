/** What a client hears of an account that the directory lets nobody into: no more than it has shown that it knows. */
import { isFailure } from '../../shared/base/failure.ts';
import type { Failure } from '../../shared/base/failure.ts';
import type { Verdict } from './verdict.ts';
import type { Verifiers } from './verifiers.ts';

/**
 * Answers a plain refusal for a locked account, unless this was its password when it last logged in here: the directory
 * locks before it looks, and "locked" would tell who guesses that the account exists.
 * @throws the failure itself, where the password is known to be right
 */
export function ofBarred(failure: Failure, { account, password }: { readonly account: string; readonly password: string }, verifiers: Verifiers): Verdict {
  const isLocked = isFailure(failure, 'account-locked');
  if (isLocked && verifiers.compare(account, password) !== 'same password') return { kind: 'refused', account };
  // Not while the directory is away either; who is locked out for a while only must be known again, to be told so.
  if (!isLocked) verifiers.refuted(account, password);
  throw failure;
}
