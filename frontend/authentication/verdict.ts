/** What came of checking who somebody is, before anything is delayed or told. */
import type { Failure } from '../../shared/base/failure.ts';
import type { UserEntry } from '../../shared/user-map/user-maps.ts';
import type { Route } from '../mapping/mapping.ts';

/** Who logged in. */
export interface AuthenticatedUser {
  /** The canonical address. */
  readonly address: string;
  /** Undefined where no map knows the user, who lives at the default back-end. */
  readonly entry: UserEntry | undefined;
  readonly route: Route;
}

export type Verdict =
  | { readonly kind: 'accepted'; readonly user: AuthenticatedUser }
  /** `account`: where the failure counts; the name as given when there is no such user. */
  | { readonly kind: 'refused'; readonly account: string }
  /** No directory answers, and the memory has nothing, or another password: a guess like any other, though not told so. */
  | { readonly kind: 'away'; readonly account: string; readonly memory: 'nothing' | 'other password'; readonly failure: Failure };

/** One attempt of a client to log in. */
export interface Attempt {
  readonly client: { readonly address: string };
  /** As the client says it; may be empty. */
  readonly name: string;
  /** What was guessed: an attempt that repeats it counts once. */
  readonly guess: string;
  readonly check: () => Promise<Verdict>;
}

/**
 * Lets an attempt wait as long as it has to, and its refusal, too.
 * @throws Failure('bad-credentials') for every refusal; Failure('directory-unavailable') when nothing can be checked now
 */
export type Judge = (attempt: Attempt) => Promise<AuthenticatedUser>;
