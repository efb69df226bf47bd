/** Servers of other kinds (Dovecot, Cyrus, Exchange …) as back-ends: where they are, and as whom the proxy logs in there. */
import type { ConnectionOptions } from 'node:tls';
import { Failure } from '../../shared/base/failure.ts';
import { proxyHeader } from '../../shared/net/proxy-header.ts';
import type { ProxyVersion } from '../../shared/net/proxy-header.ts';
import type { Route } from '../mapping/mapping.ts';
import type { ClientIdentity } from './login.ts';

/** How foreign servers of one protocol are reached. */
export interface ForeignOptions {
  /** For hosts that name no port. */
  readonly port: number;
  readonly tls: 'implicit' | 'starttls' | 'none';
  /** Whose certificates count, and whether they must be good. */
  readonly tlsOptions: ConnectionOptions;
  /** Whether connections begin with a PROXY header. */
  readonly proxyProtocol: 'none' | ProxyVersion;
  /** Where connections come from; the operating system chooses when undefined. */
  readonly localAddress?: string | undefined;
  readonly identity: ForeignIdentity;
}

export type ForeignIdentity =
  /** The user's own name and password are passed through. */
  | { readonly kind: 'own' }
  /** A user who may log in as anybody: as SASL PLAIN's authentication id, or in the name, as `user*master`. */
  | { readonly kind: 'master'; readonly user: string; readonly password: string; readonly separator: string | undefined };

export interface SaslCredentials {
  readonly authorisationId: string | undefined;
  readonly user: string;
  readonly password: string;
}

/** What a protocol's dialogue with a foreign server has to do. */
export interface ForeignLogin {
  /** TLS on request with these options comes first. */
  readonly startTls: ConnectionOptions | undefined;
  readonly credentials: SaslCredentials;
  readonly client: ClientIdentity;
  /** Proxies that may still come, told where the protocol has words for it. */
  readonly hopsLeft: number;
  /** To be told the server's capabilities before login, where the dialogue hears of them. */
  readonly heard: (capabilities: readonly string[]) => void;
}

/** How many proxies a login may pass; the value that Dovecot begins with too. */
export const mostHops = 5;

export interface ForeignServer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: ConnectionOptions | undefined;
  readonly localAddress: string | undefined;
  /** The PROXY header. */
  readonly preface: Buffer | undefined;
}

/** @param client whose connection it will be; undefined: our own, which asks a question */
export function foreignServer(route: Extract<Route, { kind: 'host' }>, options: ForeignOptions, client: ClientIdentity | undefined): ForeignServer {
  const port = route.port ?? options.port;
  const tls = options.tls === 'implicit' ? { ...options.tlsOptions, servername: serverName(route.host) } : undefined;
  const preface = options.proxyProtocol === 'none' ? undefined : proxyHeader(options.proxyProtocol, client);
  return { name: `${route.host}:${String(port)}`, host: route.host, port, tls, localAddress: options.localAddress, preface };
}

/** TLS on request, where that is how the server is spoken to. */
export function startTlsFor(host: string, options: ForeignOptions): ConnectionOptions | undefined {
  return options.tls === 'starttls' ? { ...options.tlsOptions, servername: serverName(host), host } : undefined;
}

/** SNI is for names only (RFC 6066 section 3). */
function serverName(host: string): string {
  return /^[\d.]+$|:/.test(host) ? '' : host;
}

/**
 * As whom to log in for the account of `address`.
 * @throws Failure('forbidden') when the server wants the user's password, and the user has logged in without sending it
 */
export function credentialsFor(identity: ForeignIdentity, user: { readonly address: string; readonly password: string | undefined }): SaslCredentials {
  if (identity.kind === 'own') {
    if (user.password === undefined) throw new Failure('forbidden', 'this mailbox can only be opened by a password sent as such: use PLAIN');
    return { authorisationId: undefined, user: user.address, password: user.password };
  }
  const { user: master, password, separator } = identity;
  if (separator === undefined) return { authorisationId: user.address, user: master, password };
  return { authorisationId: undefined, user: `${user.address}${separator}${master}`, password };
}

/** One proxy less; refuses a login that has passed too many, which means that it goes round in circles. */
export function nextHop(hopsLeft: number, server: string): number {
  if (hopsLeft > 1) return hopsLeft - 1;
  throw new Failure('backend-unavailable', 'the login goes round in circles', {
    cause: new Error(`login passed ${String(mostHops)} proxies; the mailHost that leads to ${server} is a proxy itself`),
  });
}

/** What a client that is a proxy itself says of the hops that are left; it can only make them fewer. */
export function fewerHops(hopsLeft: number, told: string | undefined): number {
  return told !== undefined && /^\d{1,3}$/.test(told) ? Math.min(hopsLeft, Number(told)) : hopsLeft;
}
