/**
 * Authentication: checks a name and a password at the directory and says which account that is and where it is kept (the
 * face of this room). Every login is a fresh question; only while no directory answers does the memory of the last success
 * serve. Refusals don't tell whether the user exists, neither by their words nor by their time.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { clientNetwork, networkContains, parseNetwork } from '../../shared/access/network.ts';
import type { Network } from '../../shared/access/network.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { UserEntry, UserMaps } from '../../shared/user-map/user-maps.ts';
import type { MapAnswer, Mapping, Route } from '../mapping/mapping.ts';
import { GuessDelays } from './guess-delays.ts';
import type { GuessDelayOptions } from './guess-delays.ts';
import { Verifiers } from './verifiers.ts';

export interface AuthenticationOptions {
  readonly mapping: Pick<Mapping, 'lookUp'>;
  readonly maps: Pick<UserMaps, 'authenticate'>;
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

/** Who logged in. */
export interface AuthenticatedUser {
  /** The canonical address. */
  readonly address: string;
  readonly entry: UserEntry;
  readonly route: Route;
}

export interface Authentication {
  /**
   * @throws Failure('bad-credentials') for every refusal, after its delay; Failure('directory-unavailable') when the password
   *   can't be checked now
   */
  authenticate(credentials: Credentials): Promise<AuthenticatedUser>;
}

/** Longer ones are nobody's; they aren't passed on. */
const longestName = 320;
const longestPassword = 1024;

/** Makes the authentication of one worker process. @throws Failure('bad-input') for a trusted network that is none */
export function createAuthentication(options: AuthenticationOptions): Authentication {
  return new DelayedAuthentication(options);
}

class DelayedAuthentication implements Authentication {
  readonly #options: AuthenticationOptions;
  readonly #trusted: readonly Network[];
  readonly #delays: GuessDelays;
  readonly #check: PasswordCheck;
  readonly #now: () => number;
  readonly #sleep: (ms: number) => Promise<unknown>;

  constructor(options: AuthenticationOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#sleep = options.sleep ?? sleepMs;
    this.#trusted = options.trustedNetworks.map(parseNetwork);
    this.#delays = new GuessDelays(options.guesses);
    this.#check = new PasswordCheck(options, new Verifiers({ ...options.verifier, now: this.#now }));
  }

  async authenticate(credentials: Credentials): Promise<AuthenticatedUser> {
    if (this.#trusted.some((network) => networkContains(network, credentials.client.address))) return await this.#attempt(credentials, undefined);
    const network = clientNetwork(credentials.client.address);
    const wait = this.#delays.begin(network);
    try {
      if (wait > 0) await this.#sleep(wait);
      return await this.#attempt(credentials, network);
    } finally {
      this.#delays.end(network);
    }
  }

  /** @param network where wrong passwords are counted; undefined for clients that never wait */
  async #attempt(credentials: Credentials, network: string | undefined): Promise<AuthenticatedUser> {
    const startedAt = this.#now();
    const verdict = await this.#check.run(credentials);
    if (verdict.kind === 'accepted') {
      this.#delays.succeeded(verdict.user.address);
      return verdict.user;
    }
    const counts = network !== undefined && (verdict.kind === 'refused' || verdict.memory === 'other password');
    const delay = counts ? this.#delays.failed(network, verdict.account, credentials.password) : 0;
    const rest = this.#options.refusalMs - (this.#now() - startedAt);
    await this.#sleep(Math.max(0, delay, verdict.kind === 'refused' ? rest : 0));
    throw verdict.kind === 'refused' ? new Failure('bad-credentials', 'Wrong user name or password.') : verdict.failure;
  }
}

type Verdict =
  | { readonly kind: 'accepted'; readonly user: AuthenticatedUser }
  /** `account`: where the failure counts; the name as given when there is no such user. */
  | { readonly kind: 'refused'; readonly account: string }
  /** No directory answers, and the memory has nothing, or another password: a guess like any other, though not told so. */
  | { readonly kind: 'away'; readonly account: string; readonly memory: 'nothing' | 'other password'; readonly failure: Failure };

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
      if (!isFailure(error, 'directory-unavailable')) throw error;
      const memory = this.#verifiers.compare(account, password);
      if (memory !== 'same password') return { kind: 'away', account, memory, failure: error };
      this.#options.log.warn({ account }, 'directory away: login by the memory of an earlier one');
      return { kind: 'accepted', user };
    }
  }
}
