/** AUTH of submission: the mechanisms of the connection, and who came out of them. */
import { isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import { channelBindings, clientCertificate, endsTls, showsCertificate } from '../../shared/net/channel-binding.ts';
import type { SmtpPeer } from '../../shared/smtp/server-session.ts';
import type { SmtpSaslExchange } from '../../shared/smtp/strict-connection.ts';
import { offeredMechanisms } from '../authentication/authentication.ts';
import type { AuthenticatedUser, AuthPolicy, PasswordsAt, SaslAuthentication } from '../authentication/authentication.ts';
import { checkAtBackend } from './password-leg.ts';
import type { PasswordRoad } from './password-leg.ts';
import { replyToAuthentication } from './replies.ts';
import { countLogin } from '../../shared/metrics/service-counters.ts';

export interface SubmissionSasl extends PasswordRoad {
  readonly authentication: SaslAuthentication;
  readonly authPolicy: AuthPolicy;
  readonly passwordsAt: PasswordsAt;
  readonly log: Logger;
}

/** How each mechanism begins that the client is offered now; `onUser` hears who it is. */
export function mechanismsFor(options: SubmissionSasl, peer: SmtpPeer, onUser: (user: AuthenticatedUser) => void): ReadonlyMap<string, () => SmtpSaslExchange> {
  const { authentication, authPolicy, passwordsAt, log } = options;
  const askBackend = async ({ address, route }: AuthenticatedUser, password: string): Promise<void> => checkAtBackend(options, peer, { address, route, password });
  return new Map(offeredMechanisms(authPolicy, { encrypted: peer.encrypted, ownTls: endsTls(peer.socket), certificate: showsCertificate(peer.socket) ? 'verified' : 'none' }).map((mechanism) => [mechanism, () => {
    const client = { address: peer.address, bindings: () => channelBindings(peer.socket), certificate: () => clientCertificate(peer.socket) };
    const exchange = authentication.begin(mechanism, client);
    return {
      step: async (response) => {
        try {
          const step = await exchange.step(response);
          if (step.kind === 'challenge') return step;
          if (step.identity.kind === 'password') peer.claimTrace(step.identity.name);
          const user = await authentication.logIn({ identity: step.identity, client, passwordsAt }, async (found, password) => {
            if (password !== undefined) await askBackend(found, password);
            return found;
          });
          onUser(user);
          countLogin('smtpProxy', 'accepted');
          return { kind: 'user', user: user.address };
        } catch (thrown) {
          if (isFailure(thrown)) log.info({ session: peer.sessionId, client: peer.address, mechanism, reason: thrown.kind }, 'authentication failed');
          countLogin('smtpProxy', { thrown });
          throw replyToAuthentication(thrown);
        }
      },
    };
  }]));
}
