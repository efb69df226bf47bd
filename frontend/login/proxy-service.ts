/**
 * What the IMAP and the POP3 proxy have in common around their conversations: listeners, session ids, draining, and the
 * splice after a login. The protocol gives the conversation before login.
 */
import type { AddressLimitOptions } from '../../shared/access/address-limit.ts';
import type { Network } from '../../shared/access/network.ts';
import type { Logger } from '../../shared/log/log.ts';
import { newSessionId } from '../../shared/base/session-id.ts';
import { Connection } from '../../shared/net/connection.ts';
import type { AnySocket } from '../../shared/net/connection.ts';
import type { Balancers } from '../../shared/net/gate.ts';
import { listen, retireAll } from '../../shared/net/listener.ts';
import type { ServerTls } from '../../shared/net/server-tls.ts';
import { splice } from '../../shared/net/splice.ts';
import type { Service } from '../../shared/service/service.ts';
import { mostHops } from './foreign.ts';
import type { AuthPolicy } from '../authentication/authentication.ts';
import type { ClientIdentity, LoggedIn, LoginRoad } from './login.ts';
import type { OpenSession, SessionFacts, SessionSet } from './session-set.ts';

export interface ProxyListener {
  readonly host: string;
  readonly port: number;
  readonly tls: 'implicit' | 'starttls';
  /** Load balancers in front that speak the PROXY protocol. */
  readonly balancers?: Balancers | undefined;
}

export interface ProxyLimits {
  readonly maxConnections: number;
  /** From one client address; no limit when absent. */
  readonly perAddress?: AddressLimitOptions | undefined;
  /** Bad commands before the line is cut. */
  readonly maxErrors: number;
  /** Failed logins before the line is cut. */
  readonly maxAuthErrors: number;
  /** From the connection to a successful login. */
  readonly loginTimeoutMs: number;
  /** Silence in both directions after login. */
  readonly idleTimeoutMs: number;
  /** Longest line before login. */
  readonly maxLineBytes: number;
}

export interface ProxyOptions {
  readonly listeners: readonly ProxyListener[];
  readonly serverTls: ServerTls;
  /** By what users may log in. */
  readonly authPolicy: AuthPolicy;
  readonly road: LoginRoad;
  /** Where the service's sessions are kept while they are open. */
  readonly sessions: SessionSet;
  /** Proxies in front of this one whose word on their clients counts. */
  readonly trustedProxies: readonly Network[];
  readonly limits: ProxyLimits;
  readonly log: Logger;
}

/** A client before login, as the protocol's conversation sees it. */
export interface Visitor {
  readonly connection: Connection;
  /** As a trusted proxy in front of us told it, else as the connection came. */
  identity: ClientIdentity;
  log: Logger;
  readonly options: ProxyOptions;
  /** Changes the identity, with everything that bears it. */
  readonly assume: (identity: ClientIdentity) => void;
  /** Proxies that the login may still pass; fewer where the client says that it is one (which nobody gains by). */
  hopsLeft: number;
}

/** How a conversation before login ended. */
export type Outcome = { readonly kind: 'logged-in'; readonly login: LoggedIn } | { readonly kind: 'over' };

export interface ProxyProtocol {
  readonly name: string;
  /** Talks with the client until it is logged in (success already told) or gone. */
  converse(visitor: Visitor): Promise<Outcome>;
  /** The last words to a client that is not logged in, when the node stops. */
  readonly farewell: string;
  /** The last words to a client that did not log in in time. */
  readonly tooSlow: string;
}

/** Opens the listeners and serves; the returned service drains on stop. */
export async function startProxy(protocol: ProxyProtocol, options: ProxyOptions): Promise<Service> {
  const { sessions, road: { capabilities } } = options;
  // The first greeting shall be a good one already.
  await capabilities.begin();
  const log = options.log.child({ service: protocol.name });
  const ownOptions = { ...options, log };
  const serve = (socket: AnySocket): void => {
    serveSocket({ protocol, options: ownOptions, socket }).catch((error: unknown) => {
      log.error({ err: error }, 'session failed');
      socket.destroy();
    });
  };
  const { maxConnections, perAddress } = options.limits;
  const gateLimits = { maxConnections, perAddress };
  const listeners = await Promise.all(
    options.listeners.map(async (listener) =>
      listen({ ...listener, ...gateLimits, serverTls: options.serverTls, requestCertificate: options.serverTls.requestCertificate, log }, serve),
    ),
  );
  return {
    name: protocol.name,
    retire: async () => {
      capabilities.end();
      await retireAll(listeners);
    },
    stop: async (graceMs) => {
      capabilities.end();
      await Promise.all(listeners.map(async (listener) => listener.close()));
      await sessions.drain(graceMs);
    },
  };
}

async function serveSocket(serving: {
  readonly protocol: ProxyProtocol;
  readonly options: ProxyOptions;
  readonly socket: AnySocket;
}): Promise<void> {
  const { protocol, options } = serving;
  const { limits, sessions } = options;
  const connection = new Connection(serving.socket, { maxLineBytes: limits.maxLineBytes, idleTimeoutMs: limits.loginTimeoutMs });
  const identity: ClientIdentity = { address: connection.remoteAddress, port: connection.remotePort, session: newSessionId(), connectedTo: connection.local };
  const facts = { session: identity.session, service: protocol.name, client: identity.address, nodes: [], since: new Date().toISOString() };
  const session: OpenSession & { facts: SessionFacts } = { facts, farewell: () => connection.end(protocol.farewell), cut: () => connection.destroy() };
  const visitor: Visitor = {
    connection, identity, options,
    log: logOf(options, identity),
    hopsLeft: mostHops,
    assume: (told) => {
      visitor.log.debug({ client: told.address, id: told.session }, 'the proxy in front names its client');
      visitor.identity = told;
      visitor.log = logOf(options, told);
      session.facts = { ...session.facts, session: told.session, client: told.address };
    },
  };
  sessions.add(session);
  const deadline = setTimeout(() => connection.end(protocol.tooSlow), limits.loginTimeoutMs);
  try {
    visitor.log.debug('connected');
    const outcome = await protocol.converse(visitor);
    clearTimeout(deadline);
    if (outcome.kind === 'logged-in') {
      session.farewell = () => undefined;
      session.facts = { ...session.facts, account: outcome.login.address, nodes: [outcome.login.node] };
      await forward({ connection, log: visitor.log, idleTimeoutMs: limits.idleTimeoutMs }, outcome.login);
    }
  } finally {
    clearTimeout(deadline);
    sessions.remove(session);
    connection.end();
  }
}

function logOf({ log }: ProxyOptions, { session, address }: ClientIdentity): Logger {
  return log.child({ session, client: address });
}

async function forward(client: { readonly connection: Connection; readonly log: Logger; readonly idleTimeoutMs: number }, login: LoggedIn): Promise<void> {
  const whoAndWhere = { account: login.address, node: login.node };
  client.log.info(whoAndWhere, 'logged in');
  const near = client.connection.detach();
  const far = login.backend.detach();
  if (near.pending.length > 0) far.socket.write(near.pending);
  if (far.pending.length > 0) near.socket.write(far.pending);
  const moved = await splice(near.socket, far.socket, { idleTimeoutMs: client.idleTimeoutMs });
  client.log.info({ ...whoAndWhere, ...moved }, 'session over');
}
