/**
 * Authentication: checks a name and a password at the directory and says which account that is and where it is kept (the
 * face of this room). Every login is a fresh question; only while no directory answers does the memory of the last success
 * serve. Refusals don't tell whether the user exists, neither by their words nor by their time.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { clientNetwork, networkContains, parseNetwork } from '../../shared/access/network.ts';
import type { Network } from '../../shared/access/network.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { tallyOperations } from '../../shared/ldap/operations.ts';
import type { Logger } from '../../shared/log/log.ts';
import { isBarred } from '../../shared/user-map/barred.ts';
import type { UserMaps } from '../../shared/user-map/user-maps.ts';
import type { MapAnswer, Mapping } from '../mapping/mapping.ts';
import { ofBarred } from './barred-account.ts';
import { BearerLogin } from './bearer-login.ts';
import { passwordExchange } from './exchange.ts';
import type { AuthExchange, Identity, SaslClient } from './exchange.ts';
import { GuessDelays } from './guess-delays.ts';
import type { GuessDelayOptions } from './guess-delays.ts';
import type { Mechanism } from './offers.ts';
import { ScramLogin } from './scram-login.ts';
import type { ScramOptions, ScramRoad } from './scram-login.ts';
import { Tokens } from './tokens.ts';
import type { TokenIssuer } from './tokens.ts';
import type { Attempt, AuthenticatedUser, Verdict } from './verdict.ts';
import { Verifiers } from './verifiers.ts';

export type { AuthExchange, Identity } from './exchange.ts';
export { offeredMechanisms, takesPasswords } from './offers.ts';
export type { AuthPolicy, Mechanism } from './offers.ts';
export type { AuthenticatedUser } from './verdict.ts';

export interface AuthenticationOptions {
  readonly mapping: Pick<Mapping, 'lookUp'>;
  readonly maps: Pick<UserMaps, 'authenticate' | 'scramSecret'>;
  readonly scram: ScramOptions;
  /** Whose tokens are taken (OAUTHBEARER, XOAUTH2). */
  readonly issuers: readonly TokenIssuer[];
  /** Whether and how long a login that succeeded serves while no directory answers; 0 ms: never. */
  readonly verifier: { readonly maxAgeMs: number; readonly maxEntries: number };
  readonly guesses: GuessDelayOptions;
  /** Every refusal takes at least so long, whatever there was to check. */
  readonly refusalMs: number;
  /** Networks whose clients never wait, such as `10.0.0.0/8`: other front-ends, monitoring. */
  readonly trustedNetworks: readonly string[];
  readonly log: Logger;
  /** A clock in milliseconds; the process's own by default. */
  readonly now?: (() => number) | undefined;
  readonly sleep?: ((ms: number) => Promise<unknown>) | undefined;
}

export interface Credentials {
  /** An address, or a bare name of the primary domain. */
  readonly name: string;
  readonly password: string;
  readonly client: { readonly address: string };
}

export interface Authentication {
  /**
   * @throws Failure('bad-credentials') for every refusal, after its delay; Failure('directory-unavailable') when the password
   *   can't be checked now; `password-expired`, `account-disabled`, `account-locked` to who knows the password
   */
  authenticate(credentials: Credentials): Promise<AuthenticatedUser>;
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
  /** The user whom a client has proven to be, or whose password is right. Throws as `authenticate` does. */
  identify(identity: Identity, client: { readonly address: string }): Promise<AuthenticatedUser>;
  /** The same for a service that has a mapping of its own: delays, memory and counters are shared. */
  withMapping(mapping: Pick<Mapping, 'lookUp'>): SaslAuthentication;
  readonly counters: LoginCounters;
}

/** Longer ones are nobody's; they aren't passed on. */
const longestName = 320;
const longestPassword = 1024;

/** Makes the authentication of one worker process. @throws Failure('bad-input') for a trusted network that is none */
export function createAuthentication(options: AuthenticationOptions): SaslAuthentication {
  return new DelayedAuthentication(options);
}

/** What the services of a worker have in common. */
interface Shared {
  readonly delays: GuessDelays;
  readonly verifiers: Verifiers;
  readonly counters: { -readonly [Name in keyof LoginCounters]: LoginCounters[Name] };
}

class DelayedAuthentication implements SaslAuthentication {
  readonly #options: AuthenticationOptions;
  readonly #trusted: readonly Network[];
  readonly #shared: Shared;
  readonly #check: PasswordCheck;
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
      verifiers: new Verifiers({ ...options.verifier, now: this.#now }),
      counters: { accepted: 0, refused: 0, unavailable: 0, operations: 0 },
    };
    this.#check = new PasswordCheck(options, this.#shared.verifiers);
    this.#tokens = new Tokens(options);
  }

  get counters(): LoginCounters {
    return this.#shared.counters;
  }

  withMapping(mapping: Pick<Mapping, 'lookUp'>): SaslAuthentication {
    return new DelayedAuthentication({ ...this.#options, mapping }, this.#shared);
  }

  async authenticate(credentials: Credentials): Promise<AuthenticatedUser> {
    return this.#judge({ client: credentials.client, guess: credentials.password, check: async () => this.#check.run(credentials) });
  }

  async identify(identity: Identity, client: { readonly address: string }): Promise<AuthenticatedUser> {
    return identity.kind === 'verified' ? identity.user : this.authenticate({ ...identity, client });
  }

  begin(mechanism: Mechanism, client: SaslClient): AuthExchange {
    const { mapping, maps, scram, log } = this.#options;
    const judge = async (attempt: Attempt): Promise<AuthenticatedUser> => this.#judge(attempt);
    if (mechanism === 'PLAIN' || mechanism === 'LOGIN') return passwordExchange(mechanism);
    if (mechanism === 'OAUTHBEARER' || mechanism === 'XOAUTH2') return this.#tallied(new BearerLogin({ mapping, tokens: this.#tokens, judge, log }, mechanism, client));
    const road: ScramRoad = { ...scram, mapping, maps, judge, now: this.#now, sleep: this.#sleep };
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
    if (this.#trusted.some((network) => networkContains(network, attempt.client.address))) return await this.#attempt(attempt, undefined);
    const network = clientNetwork(attempt.client.address);
    const wait = this.#shared.delays.begin(network);
    try {
      if (wait > 0) await this.#sleep(wait);
      return await this.#attempt(attempt, network);
    } finally {
      this.#shared.delays.end(network);
    }
  }

  /** @param network where wrong passwords are counted; undefined for clients that never wait */
  async #attempt({ guess, check }: Attempt, network: string | undefined): Promise<AuthenticatedUser> {
    const startedAt = this.#now();
    const verdict = await tallyOperations(check, (count) => this.#addOperations(count));
    this.#shared.counters[verdict.kind === 'away' ? 'unavailable' : verdict.kind] += 1;
    if (verdict.kind === 'accepted') {
      this.#shared.delays.succeeded(verdict.user.address);
      return verdict.user;
    }
    const counts = network !== undefined && (verdict.kind === 'refused' || verdict.memory === 'other password');
    const delay = counts ? this.#shared.delays.failed(network, verdict.account, guess) : 0;
    const rest = this.#options.refusalMs - (this.#now() - startedAt);
    await this.#sleep(Math.max(0, delay, verdict.kind === 'refused' ? rest : 0));
    throw verdict.kind === 'refused' ? new Failure('bad-credentials', 'Wrong user name or password.') : verdict.failure;
  }
}

/** The check itself, without any waiting. */
class PasswordCheck {
  readonly #options: AuthenticationOptions;
  readonly #verifiers: Verifiers;

  constructor(options: AuthenticationOptions, verifiers: Verifiers) {
    this.#options = options;
    this.#verifiers = verifiers;
  }

  async run({ name, password }: Credentials): Promise<Verdict> {
    const asGiven = name.toLowerCase().slice(0, longestName);
    const refused: Verdict = { kind: 'refused', account: asGiven };
    if (name === '' || name.length > longestName || password === '' || Buffer.byteLength(password) > longestPassword) return refused;
    if (name.includes('\0') || password.includes('\0')) return refused;
    try {
      const answer: MapAnswer = await this.#options.mapping.lookUp(name, { fresh: 'yes' });
      if (answer.kind !== 'found' || answer.entry === undefined) return refused;
      const { address, entry, route } = answer;
      return await this.#checkPassword({ address, entry, route }, password);
    } catch (error) {
      if (!isFailure(error, 'directory-unavailable')) throw error;
      return { kind: 'away', account: asGiven, memory: 'nothing', failure: error };
    }
  }

  async #checkPassword(user: AuthenticatedUser, password: string): Promise<Verdict> {
    const account = user.address;
    try {
      const accepted = await this.#options.maps.authenticate(user.entry, password) === 'ok';
      if (accepted) this.#verifiers.remember(account, password);
      else this.#verifiers.refuted(account, password);
      return accepted ? { kind: 'accepted', user } : { kind: 'refused', account };
    } catch (error) {
      if (isBarred(error)) return ofBarred(error, { account, password }, this.#verifiers);
      if (!isFailure(error, 'directory-unavailable')) throw error;
      const memory = this.#verifiers.compare(account, password);
      if (memory !== 'same password') return { kind: 'away', account, memory, failure: error };
      this.#options.log.warn({ account }, 'directory away: login by the memory of an earlier one');
      return { kind: 'accepted', user };
    }
  }
}
