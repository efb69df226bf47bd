/** Whose connection a socket is when a load balancer passed it on: from then on the socket itself names the client. */
import type { Socket } from 'node:net';
import type { ProxiedClient } from './proxy-protocol.ts';

const overTls = new WeakSet<Socket>();

/**
 * Makes `remoteAddress` and `remotePort` of the socket the client's, so that everything that looks at the socket (our log
 * lines, limits, libraries) sees the client and nobody has to know of balancers.
 */
export function assumeClient(socket: Socket, client: ProxiedClient, trustTls: 'yes' | 'no'): void {
  Object.defineProperties(socket, {
    remoteAddress: { value: client.address },
    remotePort: { value: client.port },
    remoteFamily: { value: client.address.includes(':') ? 'IPv6' : 'IPv4' },
  });
  if (trustTls === 'yes' && client.overTls === 'yes') overTls.add(socket);
}

/** True when a balancer whose word on it counts ended the client's TLS: passwords may come over this socket. */
export function clientSpeaksTls(socket: Socket): boolean {
  return overTls.has(socket);
}
