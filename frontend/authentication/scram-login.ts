/**
 * SCRAM with the keys or the clear text of a user map. Who asks for a user that isn't there gets the same answers in the same
 * time, with a salt that is always the same for that name.
 */
import { createHmac } from 'node:crypto';
import { secretBytes } from '../../shared/base/secret-bytes.ts';
import { deriveScramKeys, scramSaltBytes } from '../../shared/sasl/scram-keys.ts';
import type { ScramKeys, ScramMechanism } from '../../shared/sasl/scram-keys.ts';
import { ScramServer } from '../../shared/sasl/scram.ts';
import type { UserMaps } from '../../shared/user-map/user-maps.ts';
import type { Mapping } from '../mapping/mapping.ts';
import { nobodyElse } from './exchange.ts';
import type { AuthExchange, AuthStep, SaslClient } from './exchange.ts';
import type { RefusalPace } from '../../shared/access/refusal-pace.ts';
import type { AuthenticatedUser, Judge } from './verdict.ts';

export interface ScramOptions {
  /** From which salts are made; the same in all workers, so that none gives away what another hides. */
  readonly saltKey: Buffer;
  /** For users without stored keys, and for nobody. */
  readonly iterations: number;
  /** Completes bare names. */
  readonly primaryDomain: string;
}

export interface ScramRoad extends ScramOptions {
  readonly mapping: Pick<Mapping, 'lookUp'>;
  readonly maps: Pick<UserMaps, 'scramSecret'>;
  readonly judge: Judge;
  /** How long the first answer takes at least: whether there was a password to derive keys from must not show. */
  readonly pace: RefusalPace;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

const longestName = 320;
const hashBytes: Readonly<Record<ScramMechanism, number>> = { 'SCRAM-SHA-256': 32, 'SCRAM-SHA-1': 20 };

interface Candidate {
  /** Where a failure counts. */
  readonly account: string;
  /** Undefined when there is nobody, or nothing to check by: then no proof is good. */
  readonly user: AuthenticatedUser | undefined;
  readonly keys: ScramKeys;
}

type Stage =
  | { readonly kind: 'first' }
  | { readonly kind: 'final'; readonly candidate: Candidate }
  | { readonly kind: 'proven'; readonly user: AuthenticatedUser };

export class ScramLogin implements AuthExchange {
  readonly #road: ScramRoad;
  readonly #mechanism: ScramMechanism;
  readonly #client: SaslClient;
  readonly #server: ScramServer;
  #stage: Stage = { kind: 'first' };

  constructor(road: ScramRoad, chosen: { readonly mechanism: ScramMechanism; readonly plus: 'yes' | 'no' }, client: SaslClient) {
    this.#road = road;
    this.#mechanism = chosen.mechanism;
    this.#client = client;
    this.#server = new ScramServer({ ...chosen, bindings: client.bindings() });
  }

  async step(response: Buffer | undefined): Promise<AuthStep> {
    const stage = this.#stage;
    if (stage.kind === 'proven') return { kind: 'identity', identity: { kind: 'verified', user: stage.user } };
    if (response === undefined) return { kind: 'challenge', data: Buffer.alloc(0) };
    return { kind: 'challenge', data: stage.kind === 'first' ? await this.#challenge(response) : await this.#finish(response, stage.candidate) };
  }

  async #challenge(response: Buffer): Promise<Buffer> {
    const startedAt = this.#road.now();
    const { user, authorisationId } = this.#server.first(response);
    if (authorisationId !== undefined && authorisationId !== user) throw nobodyElse();
    const candidate = await this.#candidate(user);
    this.#stage = { kind: 'final', candidate };
    const tookMs = this.#road.now() - startedAt;
    if (candidate.user !== undefined) this.#road.pace.took(tookMs);
    await this.#road.sleep(Math.max(0, this.#road.pace.leastMs - tookMs));
    return this.#server.challenge(candidate.keys);
  }

  /** The end of it all, as a challenge: SCRAM's last word has to come before success is told (RFC 5802 section 5). */
  async #finish(response: Buffer, candidate: Candidate): Promise<Buffer> {
    const signature = this.#server.finish(response);
    const { user, account } = candidate;
    const proven = await this.#road.judge({
      client: this.#client,
      name: account,
      // A wrong proof doesn't tell which password it was made from: each one counts.
      guess: response.toString('latin1'),
      check: async () => Promise.resolve(signature === undefined || user === undefined ? { kind: 'refused', account } : { kind: 'accepted', user }),
    });
    this.#stage = { kind: 'proven', user: proven };
    return signature ?? Buffer.alloc(0);
  }

  async #candidate(name: string): Promise<Candidate> {
    const account = name.toLowerCase().slice(0, longestName);
    const nobody = { account, user: undefined, keys: this.#noKeys(account) };
    if (name.length > longestName) return nobody;
    const answer = await this.#road.mapping.lookUp(name, { fresh: 'yes' });
    if (answer.kind !== 'found' || answer.entry === undefined) return nobody;
    const { address, entry, route } = answer;
    const secret = await this.#road.maps.scramSecret(entry, this.#mechanism);
    if (secret === undefined) return { ...nobody, account: address };
    const keys = secret.kind === 'keys' ? secret.keys : await deriveScramKeys(this.#mechanism, secret.password, { salt: this.#saltOf(account), iterations: this.#road.iterations });
    return { account: address, user: { address, entry, route }, keys };
  }

  /** Nobody's keys: no password leads to them. */
  #noKeys(account: string): ScramKeys {
    const bytes = hashBytes[this.#mechanism];
    return { iterations: this.#road.iterations, salt: this.#saltOf(account), storedKey: secretBytes(bytes), serverKey: secretBytes(bytes) };
  }

  /** Spellings that lead to one account have one salt, whether there is such an account or not. */
  #saltOf(account: string): Buffer {
    const { saltKey, primaryDomain } = this.#road;
    const [, local = account, domain = primaryDomain] = /^([^@]*)@(.*)$/s.exec(account) ?? [];
    const base = local.replace(/(?<=.)\+.*$/s, '');
    return createHmac('sha256', saltKey).update(`${this.#mechanism}\0${base}@${domain.toLowerCase()}`).digest().subarray(0, scramSaltBytes);
  }
}
