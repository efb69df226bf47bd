/** Checks a name and a password, without any waiting: at the user map, at the back-end that keeps the mailbox, or at both. */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { isBarred } from '../../shared/user-map/barred.ts';
import type { UserMaps } from '../../shared/user-map/user-maps.ts';
import type { Mapping } from '../mapping/mapping.ts';
import { ofBarred } from './barred-account.ts';
import type { AuthenticatedUser, Verdict } from './verdict.ts';
import type { Verifiers } from './verifiers.ts';

/**
 * Where passwords of directory users are checked: at the proxy, whose word the back-end takes; at the back-end, which is sent
 * name and password; at both. Users of whom no directory has a password are always checked at their back-end.
 */
export type PasswordsAt = 'proxy' | 'backend' | 'both';

export interface PasswordClaim {
  /** An address, or a bare name of the primary domain. */
  readonly name: string;
  readonly password: string;
  readonly passwordsAt: PasswordsAt;
  /** Asks the back-end. @throws Failure('bad-credentials') when it refuses the password */
  readonly askBackend: (user: AuthenticatedUser, password: string) => Promise<void>;
}

export interface PasswordCheckOptions {
  readonly mapping: Pick<Mapping, 'lookUp'>;
  readonly maps: Pick<UserMaps, 'authenticate' | 'pretend'>;
  readonly verifiers: Verifiers;
  readonly log: Logger;
  /** Hears how long the check of somebody's password took, right or wrong. */
  readonly onChecked: (tookMs: number) => void;
  readonly now: () => number;
}

/** Longer ones are nobody's; they aren't passed on. */
export const longestName = 320;
const longestPassword = 1024;

/** Answers what to make of the claim. Rejects with what is neither a refusal nor an outage of the directory. */
export async function checkPassword(options: PasswordCheckOptions, claim: PasswordClaim): Promise<Verdict> {
  const { name, password } = claim;
  const asGiven = name.toLowerCase().slice(0, longestName);
  const refused: Verdict = { kind: 'refused', account: asGiven };
  if (name === '' || name.length > longestName || password === '' || Buffer.byteLength(password) > longestPassword) return refused;
  if (name.includes('\0') || password.includes('\0')) return refused;
  try {
    const beganMs = options.now();
    const answer = await options.mapping.lookUp(name, { fresh: 'yes' });
    if (answer.kind !== 'found') {
      if (claim.passwordsAt !== 'backend') await options.maps.pretend(name, password);
      return refused;
    }
    const { address, entry, route } = answer;
    const verdict = await checkUser(options, claim, { address, entry, route });
    options.onChecked(options.now() - beganMs);
    return verdict;
  } catch (error) {
    if (!isFailure(error, 'directory-unavailable')) throw error;
    return { kind: 'away', account: asGiven, memory: 'nothing', failure: error };
  }
}

async function checkUser(options: PasswordCheckOptions, { password, passwordsAt, askBackend }: PasswordClaim, user: AuthenticatedUser): Promise<Verdict> {
  const at = user.entry === undefined || user.entry.local !== undefined ? 'backend' : passwordsAt;
  if (at !== 'backend') {
    const verdict = await checkAtMap(options, user, password);
    if (verdict.kind !== 'accepted' || at === 'proxy') return verdict;
  }
  try {
    await askBackend(user, password);
    return { kind: 'accepted', user };
  } catch (error) {
    if (isFailure(error, 'bad-credentials')) return { kind: 'refused', account: user.address };
    // Of an outage behind it the back-end has told; here the directory answers.
    throw isFailure(error, 'directory-unavailable') ? new Failure('backend-unavailable', 'the password can not be checked now', { cause: error }) : error;
  }
}

async function checkAtMap({ maps, verifiers, log }: PasswordCheckOptions, user: AuthenticatedUser, password: string): Promise<Verdict> {
  const account = user.address;
  if (user.entry === undefined) return { kind: 'refused', account };
  try {
    const accepted = await maps.authenticate(user.entry, password) === 'ok';
    if (accepted) verifiers.remember(account, password);
    else verifiers.refuted(account, password);
    return accepted ? { kind: 'accepted', user } : { kind: 'refused', account };
  } catch (error) {
    if (isBarred(error)) return ofBarred(error, { account, password }, verifiers);
    if (!isFailure(error, 'directory-unavailable')) throw error;
    const memory = verifiers.compare(account, password);
    if (memory !== 'same password') return { kind: 'away', account, memory, failure: error };
    log.warn({ account }, 'directory away: login by the memory of an earlier one');
    return { kind: 'accepted', user };
  }
}
