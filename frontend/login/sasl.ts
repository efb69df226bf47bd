/** SASL as a line protocol speaks it before login: what a connection is offered, and the exchange line by line. */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { channelBindings, clientCertificate, endsTls, showsCertificate } from '../../shared/net/channel-binding.ts';
import type { Connection } from '../../shared/net/connection.ts';
import { decodeBase64 } from '../../shared/sasl/mechanisms.ts';
import { offeredMechanisms, takesPasswords } from '../authentication/authentication.ts';
import type { Channel, Identity, Mechanism } from '../authentication/authentication.ts';
import type { Visitor } from './proxy-service.ts';

/** The mechanisms to announce on the visitor's connection as it is now. */
export function offeredTo({ connection, options }: Visitor): readonly Mechanism[] {
  return offeredMechanisms(options.authPolicy, channelOf(connection));
}

/** Whether the visitor may send a password by the protocol's own commands. */
export function mayUsePasswordCommands({ connection, options }: Visitor): boolean {
  return takesPasswords(options.authPolicy, channelOf(connection));
}

function channelOf({ encrypted, socket }: Connection): Channel {
  return { encrypted, ownTls: endsTls(socket), certificate: showsCertificate(socket) ? 'verified' : 'none' };
}

export type SaslEnd =
  | { readonly kind: 'identity'; readonly identity: Identity }
  | { readonly kind: 'cancelled' | 'gone' }
  /** A login that failed, to be told and counted. */
  | { readonly kind: 'refused'; readonly failure: Failure };

/** Holds the exchange: challenges as `+ ` and base64, one line for each response. @throws Failure('bad-input') for nonsense */
export async function exchangeSasl(visitor: Visitor, mechanism: Mechanism, initial: string | undefined): Promise<SaslEnd> {
  const { connection, identity, options } = visitor;
  const exchange = options.road.authentication.begin(mechanism, { address: identity.address, bindings: () => channelBindings(connection.socket), certificate: () => clientCertificate(connection.socket) });
  try {
    let step = await exchange.step(initial === undefined ? undefined : decoded(initial));
    while (step.kind === 'challenge') {
      await connection.write(`+ ${step.data.toString('base64')}\r\n`);
      const line = await connection.readLine();
      if (line === undefined) return { kind: 'gone' };
      if (line === '*') return { kind: 'cancelled' };
      step = await exchange.step(decoded(line));
    }
    return step;
  } catch (error) {
    if (!isFailure(error) || error.kind === 'bad-input' || error.kind === 'timed-out') throw error;
    return { kind: 'refused', failure: error };
  }
}

/** A login that failed through no fault of the client, which may try again in the same session as long as it may be there. */
export function isOutage(error: unknown): boolean {
  return isFailure(error) && error.temporary;
}

/** An initial response of `=` is the empty one (RFC 4959 section 3, RFC 5034 section 4). */
function decoded(text: string): Buffer {
  const bytes = text === '=' ? Buffer.alloc(0) : decodeBase64(text);
  if (bytes === undefined) throw new Failure('bad-input', 'that is not base64');
  return bytes;
}
