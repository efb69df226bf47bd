/** A SASL exchange with a client: its end is either somebody proven, or a name and a password that are still to be checked. */
import type { X509Certificate } from 'node:crypto';
import { Failure } from '../../shared/base/failure.ts';
import { startSasl } from '../../shared/sasl/mechanisms.ts';
import type { ChannelBindings } from '../../shared/sasl/scram.ts';
import type { AuthenticatedUser } from './verdict.ts';

/** Who a client says it is. */
export type Identity =
  | { readonly kind: 'password'; readonly name: string; readonly password: string }
  | { readonly kind: 'verified'; readonly user: AuthenticatedUser };

export type AuthStep = { readonly kind: 'challenge'; readonly data: Buffer } | { readonly kind: 'identity'; readonly identity: Identity };

export interface AuthExchange {
  /**
   * Takes the client's next response (undefined: it sent no initial response).
   * @throws Failure `bad-input` for what can't be understood, and all that a login can end with
   */
  step(response: Buffer | undefined): Promise<AuthStep>;
}

export interface SaslClient {
  readonly address: string;
  /** What SCRAM can be bound to; asked for by SCRAM only, for it takes a third of a millisecond. */
  readonly bindings: () => ChannelBindings;
  /** The certificate that the client has shown, if the users' authority has signed it; asked for by EXTERNAL only. */
  readonly certificate?: (() => X509Certificate | undefined) | undefined;
}

/** PLAIN and LOGIN: the password itself is sent. */
export function passwordExchange(mechanism: 'PLAIN' | 'LOGIN'): AuthExchange {
  const exchange = startSasl(mechanism);
  return {
    step: async (response) => {
      const step = exchange.step(response);
      if (step.kind === 'challenge') return Promise.resolve(step);
      if (step.kind !== 'password') throw new Failure('bad-input', 'unexpected response');
      if (step.authorisationId !== undefined && step.authorisationId !== step.user) throw nobodyElse();
      return { kind: 'identity', identity: { kind: 'password', name: step.user, password: step.password } };
    },
  };
}

export function nobodyElse(): Failure {
  return new Failure('bad-credentials', 'logging in as somebody else is not possible here');
}
