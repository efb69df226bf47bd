/**
 * Authentication: finds out who somebody is, at the directory or at the back-end, and which account that is and where it is
 * kept (the face of this room). Every login is a fresh question; only while no directory answers does the memory of the last
 * success serve. Refusals don't tell whether the user exists, neither by their words nor by their time.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { clientNetwork, networkContains, parseNetwork } from '../../shared/access/network.ts';
import type { Network } from '../../shared/access/network.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { tallyOperations } from '../../shared/ldap/operations.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { AddressPlace } from '../../shared/tls/certificate-addresses.ts';
import type { UserMaps } from '../../shared/user-map/user-maps.ts';
import type { Mapping } from '../mapping/mapping.ts';
import { BearerLogin } from './bearer-login.ts';
import { passwordExchange } from './exchange.ts';
import type { AuthExchange, Identity, SaslClient } from './exchange.ts';
import { ExternalLogin } from './external-login.ts';
import { GuessDelays } from '../../shared/access/guess-delays.ts';
import type { GuessDelayOptions, Guesser } from '../../shared/access/guess-delays.ts';
import type { Mechanism } from './offers.ts';
import { checkPassword, longestName } from './password-check.ts';
import type { PasswordsAt } from './password-check.ts';
import { RefusalPace } from '../../shared/access/refusal-pace.ts';
import { ScramLogin } from './scram-login.ts';
import type { ScramOptions, ScramRoad } from './scram-login.ts';
import { Tokens } from './tokens.ts';
import type { TokenIssuer } from './tokens.ts';
import type { Attempt, AuthenticatedUser } from './verdict.ts';
import { Verifiers } from './verifiers.ts';

export type { AuthExchange, Identity } from './exchange.ts';
export { offeredMechanisms, takesPasswords } from './offers.ts';
export type { AuthPolicy, Channel, Mechanism } from './offers.ts';
export type { PasswordsAt } from './password-check.ts';
export type { AuthenticatedUser } from './verdict.ts';

export interface AuthenticationOptions {
  readonly mapping: Pick<Mapping, 'lookUp'>;
  readonly maps: Pick<UserMaps, 'authenticate' | 'scramSecret' | 'pretend' | 'mayLogIn' | 'covers'>;
  /**
   * Whether a user who has proven who it is may use this service, by what domain and directory say; the back-end has the last word.
   * @throws Failure `account-disabled`, `service-denied`
   */
  readonly permit?: ((user: AuthenticatedUser) => void) | undefined;
  readonly scram: ScramOptions;
  /** Where clients' certificates have the user's address (EXTERNAL). */
  readonly certificateAddresses: readonly AddressPlace[];
  /** Whose tokens are taken (OAUTHBEARER, XOAUTH2). */
  readonly issuers: readonly TokenIssuer[];
  /** Whether and how long a login that succeeded serves while no directory answers; 0 ms: never. */
  readonly verifier: { readonly maxAgeMs: number; readonly maxEntries: number };
  readonly guesses: GuessDelayOptions;
  /** Every refusal takes at least so long, and as long as checks of passwords took lately, whatever there was to check. */
  readonly refusalMs: number;
  /** Networks whose clients never wait, such as `10.0.0.0/8`: other front-ends, monitoring. */
  readonly trustedNetworks: readonly string[];
  /** What one client commands of IPv6. */
  readonly ipv6Prefix: number;
  readonly log: Logger;
  /** A clock in milliseconds; the process's own by default. */
  readonly now?: (() => number) | undefined;
  readonly sleep?: ((ms: number) => Promise<unknown>) | undefined;
}

/** Somebody who wants to be let in. */
export interface LoginAttempt {
  readonly identity: Identity;
  readonly client: { readonly address: string };
  readonly passwordsAt: PasswordsAt;
}

export interface Authentication {
  /**
   * Finds out who it is and opens what that user wants opened at the back-end; resolves with what `open` made. `open` is
   * called once at most. With a password, the back-end is to check it: Failure('bad-credentials') of `open` counts and waits as
   * every wrong password does. Without one, the back-end is to take our word.
   * @throws Failure('bad-credentials') for every refusal, after its delay; Failure('directory-unavailable') when the password
   *   can't be checked now; `password-expired`, `account-disabled`, `account-locked` to who knows the password; what `open` throws
   */
  logIn<T>(attempt: LoginAttempt, open: (user: AuthenticatedUser, password: string | undefined) => Promise<T>): Promise<T>;
}

export interface LoginCounters {
  readonly accepted: number;
  readonly refused: number;
  /** Could not be checked: the directory was away. */
  readonly unavailable: number;
  /** LDAP operations that all of these caused. */
  readonly operations: number;
}

/** Authentication for protocols that speak SASL. */
export interface SaslAuthentication extends Authentication {
  /** Begins an exchange; that the mechanism is offered on this connection is the caller's part. */
  begin(mechanism: Mechanism, client: SaslClient): AuthExchange;
  /** The same for a service that has a mapping of its own: delays, memory and counters are shared. */
  withMapping(mapping: Pick<Mapping, 'lookUp'>, permit?: AuthenticationOptions['permit']): SaslAuthentication;
  readonly counters: LoginCounters;
}

/** Makes the authentication of one worker process. @throws Failure('bad-input') for a trusted network that is none */
export function createAuthentication(options: AuthenticationOptions): SaslAuthentication {
  return new DelayedAuthentication(options);
}

/** Deriving keys with the usual count of iterations takes a few milliseconds. */
const leastChallengeMs = 25;

/** What the services of a worker have in common. */
interface Shared {
  readonly delays: GuessDelays;
  readonly pace: RefusalPace;
  /** Of SCRAM's first answers. */
  readonly challengePace: RefusalPace;
  readonly verifiers: Verifiers;
  readonly counters: { -readonly [Name in keyof LoginCounters]: LoginCounters[Name] };
}

class DelayedAuthentication implements SaslAuthentication {
  readonly #options: AuthenticationOptions;
  readonly #trusted: readonly Network[];
  readonly #shared: Shared;
  readonly #tokens: Tokens;
  readonly #now: () => number;
  readonly #sleep: (ms: number) => Promise<unknown>;

  constructor(options: AuthenticationOptions, shared?: Shared) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#sleep = options.sleep ?? sleepMs;
    this.#trusted = options.trustedNetworks.map(parseNetwork);
    this.#shared = shared ?? {
      delays: new GuessDelays(options.guesses),
      pace: new RefusalPace(options.refusalMs),
      challengePace: new RefusalPace(leastChallengeMs),
      verifiers: new Verifiers({ ...options.verifier, now: this.#now }),
      counters: { accepted: 0, refused: 0, unavailable: 0, operations: 0 },
    };
    this.#tokens = new Tokens(options);
  }

  get counters(): LoginCounters {
    return this.#shared.counters;
  }

  withMapping(mapping: Pick<Mapping, 'lookUp'>, permit?: AuthenticationOptions['permit']): SaslAuthentication {
    return new DelayedAuthentication({ ...this.#options, mapping, permit }, this.#shared);
  }

  async logIn<T>({ identity, client, passwordsAt }: LoginAttempt, open: (user: AuthenticatedUser, password: string | undefined) => Promise<T>): Promise<T> {
    const openFor = async (user: AuthenticatedUser): Promise<T> => {
      this.#options.permit?.(user);
      return open(user, undefined);
    };
    if (identity.kind === 'verified') return openFor(identity.user).catch((error: unknown) => { throw ofVerified(error, identity.user); });
    const { mapping, maps, log } = this.#options;
    const { name, password } = identity;
    let opened: { readonly value: T } | undefined;
    const askBackend = async (user: AuthenticatedUser): Promise<void> => {
      opened = { value: await open(user, password) };
    };
    const { verifiers, pace } = this.#shared;
    const options = { mapping, maps, log, verifiers, now: this.#now, onChecked: (tookMs: number) => pace.took(tookMs) };
    const user = await this.#judge({ client, name, guess: password, check: async () => checkPassword(options, { name, password, passwordsAt, askBackend }) });
    return (opened ?? { value: await openFor(user).catch((error: unknown) => { throw ofVerified(error, user); }) }).value;
  }

  begin(mechanism: Mechanism, client: SaslClient): AuthExchange {
    const { mapping, maps, scram, log } = this.#options;
    const judge = async (attempt: Attempt): Promise<AuthenticatedUser> => this.#judge(attempt);
    if (mechanism === 'PLAIN' || mechanism === 'LOGIN') return passwordExchange(mechanism);
    if (mechanism === 'EXTERNAL') return this.#tallied(new ExternalLogin({ mapping, maps, addressFrom: this.#options.certificateAddresses, judge, log }, client));
    if (mechanism === 'OAUTHBEARER' || mechanism === 'XOAUTH2') return this.#tallied(new BearerLogin({ mapping, maps, tokens: this.#tokens, judge, log }, mechanism, client));
    const road: ScramRoad = { ...scram, mapping, maps, judge, pace: this.#shared.challengePace, now: this.#now, sleep: this.#sleep };
    return this.#tallied(new ScramLogin(road, {
      mechanism: mechanism.startsWith('SCRAM-SHA-256') ? 'SCRAM-SHA-256' : 'SCRAM-SHA-1',
      plus: mechanism.endsWith('-PLUS') ? 'yes' : 'no',
    }, client));
  }

  #tallied(exchange: AuthExchange): AuthExchange {
    return { step: async (response) => tallyOperations(async () => exchange.step(response), (count) => this.#addOperations(count)) };
  }

  #addOperations(count: number): void {
    this.#shared.counters.operations += count;
  }

  async #judge(attempt: Attempt): Promise<AuthenticatedUser> {
    const { address } = attempt.client;
    if (this.#trusted.some((network) => networkContains(network, address))) return await this.#attempt(attempt, undefined);
    const guesser = { network: clientNetwork(address, this.#options.ipv6Prefix), name: attempt.name.toLowerCase().slice(0, longestName) };
    const wait = this.#shared.delays.begin(guesser);
    try {
      if (wait > 0) await this.#sleep(wait);
      return await this.#attempt(attempt, guesser);
    } finally {
      this.#shared.delays.end(guesser);
    }
  }

  /** @param guesser where wrong passwords are counted; undefined for clients that never wait */
  async #attempt({ guess, check }: Attempt, guesser: Guesser | undefined): Promise<AuthenticatedUser> {
    const startedAt = this.#now();
    const verdict = await tallyOperations(check, (count) => this.#addOperations(count));
    this.#shared.counters[verdict.kind === 'away' ? 'unavailable' : verdict.kind] += 1;
    if (verdict.kind === 'accepted') {
      if (guesser !== undefined) this.#shared.delays.succeeded(guesser, verdict.user.address);
      return verdict.user;
    }
    const counts = guesser !== undefined && (verdict.kind === 'refused' || verdict.memory === 'other password');
    const delay = counts ? this.#shared.delays.failed(guesser, verdict.account, guess) : 0;
    const rest = this.#shared.pace.leastMs - (this.#now() - startedAt);
    await this.#sleep(Math.max(0, delay, verdict.kind === 'refused' ? rest : 0));
    throw verdict.kind === 'refused' ? new Failure('bad-credentials', 'Wrong user name or password.') : verdict.failure;
  }
}

/**
 * What a client hears when the back-end has no account for an address that is proven: of a domain without directory that is the
 * answer; whom a directory names, and the back-end's replica does not yet, comes again.
 */
function ofVerified(error: unknown, { entry }: AuthenticatedUser): unknown {
  if (!isFailure(error, 'unknown-user')) return error;
  return entry === undefined || entry.local !== undefined
    ? new Failure('bad-credentials', 'Wrong user name or password.', { cause: error })
    : new Failure('backend-unavailable', 'the mailbox can not be opened now', { cause: error });
}
