/** OAUTHBEARER and XOAUTH2: the token says who it is, the user maps say which account that is. */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { bearerRefusal, readBearer } from '../../shared/sasl/bearer.ts';
import type { BearerClaim, BearerMechanism } from '../../shared/sasl/bearer.ts';
import type { AuthExchange, AuthStep, SaslClient } from './exchange.ts';
import type { Tokens } from './tokens.ts';
import type { Judge, Verdict } from './verdict.ts';
import { verifiedUser } from './verified-user.ts';
import type { VerifiedUserRoad } from './verified-user.ts';

export interface BearerRoad extends VerifiedUserRoad {
  readonly tokens: Tokens;
  readonly judge: Judge;
  readonly log: Logger;
}

export class BearerLogin implements AuthExchange {
  readonly #road: BearerRoad;
  readonly #mechanism: BearerMechanism;
  readonly #client: SaslClient;
  #refusal: Failure | undefined;

  constructor(road: BearerRoad, mechanism: BearerMechanism, client: SaslClient) {
    this.#road = road;
    this.#mechanism = mechanism;
    this.#client = client;
  }

  async step(response: Buffer | undefined): Promise<AuthStep> {
    if (this.#refusal !== undefined) throw this.#refusal; // whatever the client says to the error challenge
    if (response === undefined) return { kind: 'challenge', data: Buffer.alloc(0) };
    const claim = readBearer(this.#mechanism, response);
    try {
      const user = await this.#road.judge({ client: this.#client, name: claim.user ?? '', guess: claim.token, check: async () => this.#check(claim) });
      return { kind: 'identity', identity: { kind: 'verified', user } };
    } catch (error) {
      if (!isFailure(error, 'bad-credentials')) throw error;
      this.#refusal = new Failure('bad-credentials', 'The token is not good here.', { cause: error });
      return { kind: 'challenge', data: bearerRefusal(this.#mechanism, this.#road.tokens.scope) };
    }
  }

  async #check({ token, user: named }: BearerClaim): Promise<Verdict> {
    const account = (named ?? '').toLowerCase().slice(0, 320);
    const found = await this.#road.tokens.check(token);
    if (found.kind === 'refused') {
      this.#road.log.info({ user: account, reason: found.reason }, 'token refused');
      return { kind: 'refused', account };
    }
    const user = await verifiedUser(this.#road, found.address);
    if (user === undefined) return { kind: 'refused', account: found.address };
    const same = named === undefined || named.toLowerCase() === user.address || (await verifiedUser(this.#road, named))?.address === user.address;
    return same ? { kind: 'accepted', user } : { kind: 'refused', account };
  }
}
