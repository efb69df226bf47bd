/** Who a client is, told by the proxy in front of us; believed only of proxies that the configuration names. */
import { networkContains } from '../../shared/access/network.ts';
import { Failure } from '../../shared/base/failure.ts';
import { sessionIdPattern } from '../../shared/base/session-id.ts';
import type { Visitor } from './proxy-service.ts';

/** What a proxy may tell, each as it came. */
export interface ToldClient {
  readonly address?: string | undefined;
  readonly port?: string | undefined;
  readonly session?: string | undefined;
}

/** Whether the other end of the connection is a proxy whose word counts. */
export function isTrustedProxy({ connection, options }: Visitor): boolean {
  return options.trustedProxies.some((network) => networkContains(network, connection.remoteAddress));
}

/** From now on the visitor is whom a trusted proxy says; nothing happens for anybody else. @throws Failure('bad-input') for what is no address, port or id */
export function hearOfClient(visitor: Visitor, told: ToldClient): void {
  if (!isTrustedProxy(visitor)) return;
  const { identity } = visitor;
  const { address = identity.address, port = String(identity.port), session = identity.session } = told;
  if (!/^[0-9a-fA-F.:]{2,45}$/.test(address) || !/^\d{1,5}$/.test(port) || !sessionIdPattern.test(session)) throw new Failure('bad-input', 'malformed address, port or session of the client');
  visitor.assume({ ...identity, address, port: Number(port), session });
}
