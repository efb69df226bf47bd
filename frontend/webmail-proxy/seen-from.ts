/**
 * Where a request really comes from, and as what the client sees this server: the connection's word, or that of a load
 * balancer that speaks HTTP with us and is named in the configuration. Nobody else's X-Forwarded fields count.
 */
import { isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { networkContains } from '../../shared/access/network.ts';
import type { Network } from '../../shared/access/network.ts';
import { readHostField } from '../../shared/http/host-field.ts';
import { plainAddress } from '../../shared/net/plain-address.ts';
import { clientSpeaksTls } from '../../shared/net/socket-client.ts';

export interface SeenFrom {
  readonly client: string;
  readonly scheme: 'https' | 'http';
  /** The host in the browser's address line, with its port where it is not the usual one. */
  readonly host: string;
}

export function seenFrom(request: IncomingMessage, balancers: readonly Network[]): SeenFrom {
  const { socket, headers } = request;
  const peer = plainAddress(socket.remoteAddress ?? '');
  const own: SeenFrom = {
    client: peer, host: headers.host ?? '',
    scheme: socket instanceof TLSSocket || clientSpeaksTls(socket) ? 'https' : 'http',
  };
  if (!isOneOf(balancers, peer)) return own;
  const [scheme, host] = [lastOf(headers['x-forwarded-proto']), lastOf(headers['x-forwarded-host'])];
  return {
    client: clientOf(headers['x-forwarded-for'], balancers) ?? peer,
    scheme: scheme === 'https' || scheme === 'http' ? scheme : own.scheme,
    host: host !== undefined && readHostField(host) !== undefined ? host : own.host,
  };
}

/** What a back-end is told of it: these fields and no others of the kind. */
export function forwardedFields({ client, scheme, host }: SeenFrom): Record<string, string> {
  return {
    'x-forwarded-for': client, 'x-forwarded-proto': scheme, 'x-forwarded-host': host,
    'x-forwarded-port': String(readHostField(host)?.port ?? (scheme === 'https' ? 443 : 80)),
  };
}

/** Each balancer adds whom it saw at the end; what stands before the first stranger is that stranger's own claim. */
function clientOf(field: string | string[] | undefined, balancers: readonly Network[]): string | undefined {
  const chain = listOf(field).map((each) => plainAddress(each.replace(/^\[([^\]]*)\](:\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1')));
  const known = chain.slice(chain.findLastIndex((address) => isIP(address) === 0) + 1);
  return known.findLast((address) => !isOneOf(balancers, address)) ?? known[0];
}

function lastOf(field: string | string[] | undefined): string | undefined {
  return listOf(field).at(-1)?.toLowerCase();
}

function listOf(field: string | string[] | undefined): readonly string[] {
  return [field ?? ''].flat().join(',').split(',').map((each) => each.trim()).filter((each) => each !== '');
}

function isOneOf(networks: readonly Network[], address: string): boolean {
  return networks.some((network) => networkContains(network, address));
}
