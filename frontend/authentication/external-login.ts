/**
 * EXTERNAL (RFC 4422 appendix A): the client has shown a certificate of the users' authority when TLS began; the addresses in
 * it say who it may be, the user maps which account that is.
 */
import type { X509Certificate } from 'node:crypto';
import { Failure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { startSasl } from '../../shared/sasl/mechanisms.ts';
import { addressesIn } from '../../shared/tls/certificate-addresses.ts';
import type { AddressPlace } from '../../shared/tls/certificate-addresses.ts';
import type { AuthExchange, AuthStep, SaslClient } from './exchange.ts';
import { verifiedUser } from './verified-user.ts';
import type { VerifiedUserRoad } from './verified-user.ts';
import type { Judge, Verdict } from './verdict.ts';

export interface ExternalRoad extends VerifiedUserRoad {
  /** Where in a certificate addresses are looked for, in this order. */
  readonly addressFrom: readonly AddressPlace[];
  readonly judge: Judge;
  readonly log: Logger;
}

export class ExternalLogin implements AuthExchange {
  readonly #road: ExternalRoad;
  readonly #client: SaslClient;
  readonly #exchange = startSasl('EXTERNAL');

  constructor(road: ExternalRoad, client: SaslClient) {
    this.#road = road;
    this.#client = client;
  }

  async step(response: Buffer | undefined): Promise<AuthStep> {
    const step = this.#exchange.step(response);
    if (step.kind === 'challenge') return step;
    if (step.kind !== 'external') throw new Failure('bad-input', 'unexpected response');
    const certificate = this.#client.certificate?.();
    const name = step.authorisationId ?? '';
    const guess = certificate?.fingerprint256 ?? '';
    const user = await this.#road.judge({ client: this.#client, name, guess, check: async () => this.#check(certificate, step.authorisationId) });
    return { kind: 'identity', identity: { kind: 'verified', user } };
  }

  /** Without a wish the first address counts; a wish must lead to the account that one of them leads to. */
  async #check(certificate: X509Certificate | undefined, wish: string | undefined): Promise<Verdict> {
    const addresses = certificate === undefined ? [] : addressesIn(certificate, this.#road.addressFrom);
    const wanted = wish === undefined ? undefined : await verifiedUser(this.#road, wish);
    for (const address of wish === undefined ? addresses.slice(0, 1) : addresses) {
      const user = await verifiedUser(this.#road, address);
      if (user !== undefined && (wish === undefined || wanted?.address === user.address)) return { kind: 'accepted', user };
    }
    this.#road.log.info({ addresses, subject: certificate?.subject, wish }, 'certificate refused: it leads to no account, or not to the one that was asked for');
    return { kind: 'refused', account: (wish ?? addresses[0] ?? '').toLowerCase().slice(0, 320) };
  }
}
