/**
 * What the IMAP and the POP3 proxy have in common around their conversations: listeners, session ids, draining, and the
 * splice after a login. The protocol gives the conversation before login.
 */
import type { Network } from '../../shared/access/network.ts';
import type { Language } from '../../shared/language/language.ts';
import type { Logger } from '../../shared/log/log.ts';
import { beginTrace } from '../../shared/log/protocol-trace.ts';
import type { TellTrace, WaitingTrace } from '../../shared/log/protocol-trace.ts';
import type { Tap } from '../../shared/log/wire-lines.ts';
import { newSessionId } from '../../shared/base/session-id.ts';
import { Connection } from '../../shared/net/connection.ts';
import type { AnySocket } from '../../shared/net/connection.ts';
import { optionsAt } from '../../shared/net/listen-place.ts';
import type { ListenPlace } from '../../shared/net/listen-place.ts';
import { listen, retireAll } from '../../shared/net/listener.ts';
import type { ServerTls } from '../../shared/net/server-tls.ts';
import { splice } from '../../shared/net/splice.ts';
import type { Service } from '../../shared/service/service.ts';
import { mostHops } from './foreign.ts';
import type { AuthPolicy } from '../authentication/authentication.ts';
import type { ClientIdentity, LoggedIn, LoginRoad } from './login.ts';
import type { OpenSession, SessionFacts, SessionSet } from './session-set.ts';
import { countConnection, countLogin } from '../../shared/metrics/service-counters.ts';

export type ProxyListener = ListenPlace & { readonly tls: 'implicit' | 'starttls' };

export interface ProxyLimits {
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
  /** What an administrator prefers for whoever leaves it to us. */
  readonly preferredLanguage: Language;
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
  /** What takes its lines, if any sessions are traced. */
  readonly trace: WaitingTrace | undefined;
}

/** How a conversation before login ended. */
export type Outcome = { readonly kind: 'logged-in'; readonly login: LoggedIn } | { readonly kind: 'over' };

export interface ProxyProtocol {
  readonly name: 'imapProxy' | 'pop3Proxy';
  /** In whose words clients are refused at the door. */
  readonly speaks: 'imap' | 'pop3';
  /** Talks with the client until it is logged in (success already told) or gone. */
  converse(visitor: Visitor): Promise<Outcome>;
  /** The last words to a client that is not logged in, when the node stops. */
  readonly farewell: string;
  /** The last words to a client that did not log in in time. */
  readonly tooSlow: string;
  /** For a protocol trace, from the greeting on. */
  tap(tell: TellTrace): Tap;
}

/** Opens the listeners and serves; the returned service drains on stop. */
export async function startProxy(protocol: ProxyProtocol, options: ProxyOptions): Promise<Service> {
  const { sessions, road: { capabilities, legs } } = options;
  // The first greeting shall be a good one already.
  await capabilities.begin();
  const log = options.log.child({ service: protocol.name });
  const serve = (here: ProxyOptions, socket: AnySocket): void => {
    serveSocket({ protocol, options: here, socket }).catch((error: unknown) => {
      log.error({ err: error }, 'session failed');
      socket.destroy();
    });
  };
  const listeners = await Promise.all(
    options.listeners.map(async (listener) => {
      const here = optionsAt({ ...options, log }, listener);
      const { serverTls } = here;
      return listen({ ...listener, protocol: protocol.speaks, serverTls, requestCertificate: serverTls.requestCertificate, log }, (socket) => serve(here, socket));
    }),
  );
  return {
    name: protocol.name,
    retire: async () => {
      capabilities.end();
      legs.close();
      await retireAll(listeners);
    },
    stop: async (graceMs) => {
      capabilities.end();
      legs.close();
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
  const traced = traceFrom(protocol, connection, identity);
  const visitor: Visitor = {
    connection, identity, options,
    trace: traced?.trace,
    log: logOf(options, identity),
    hopsLeft: mostHops,
    assume: (told) => {
      visitor.log.debug({ client: told.address, id: told.session }, 'the proxy in front names its client');
      visitor.identity = told;
      visitor.log = logOf(options, told);
      visitor.trace?.assume(told.session);
      session.facts = { ...session.facts, session: told.session, client: told.address };
    },
  };
  sessions.add(session);
  const deadline = setTimeout(() => connection.end(protocol.tooSlow), limits.loginTimeoutMs);
  serving.socket.once('close', countConnection(protocol.name));
  let outcome: Outcome = { kind: 'over' };
  try {
    visitor.log.debug('connected');
    outcome = await protocol.converse(visitor);
  } finally {
    clearTimeout(deadline);
    if (outcome.kind === 'over') {
      sessions.remove(session);
      connection.end();
    }
  }
  if (outcome.kind === 'over') return;
  countLogin(protocol.name, 'accepted');
  forward(visitor, session, { login: outcome.login, tap: traced?.trace.settle(outcome.login.address) === 'on' ? traced.tap : undefined });
}

/** From the greeting on, while anybody is traced. */
function traceFrom({ name, tap: tapOf }: ProxyProtocol, connection: Connection, { session }: ClientIdentity): { readonly trace: WaitingTrace; readonly tap: Tap } | undefined {
  const trace = beginTrace({ service: name, session });
  if (trace === undefined) return undefined;
  const tap = tapOf(trace.tell);
  connection.watch(tap);
  return { trace, tap };
}

function logOf({ log }: ProxyOptions, { session, address }: ClientIdentity): Logger {
  return log.child({ session, client: address });
}

/** From now on bytes flow. What stands here while they do is all that a session holds: nothing of the time before login. */
function forward({ connection, log, options: { sessions, limits } }: Visitor, session: OpenSession & { facts: SessionFacts }, { login, tap }: { readonly login: LoggedIn; readonly tap: Tap | undefined }): void {
  log.info({ account: login.address, node: login.node }, 'logged in');
  const { socket: near, pending: fromClient } = connection.detach();
  const { socket: far, pending: fromBackend } = login.backend.detach();
  session.facts = { ...session.facts, account: login.address, nodes: [login.node] };
  session.farewell = nothing;
  session.cut = () => near.destroy();
  if (fromClient.length > 0) far.write(fromClient);
  if (fromBackend.length > 0) {
    near.write(fromBackend);
    tap?.sent(fromBackend);
  }
  splice(near, far, { idleTimeoutMs: limits.idleTimeoutMs, release: login.release, tap }).then(
    (moved) => {
      sessions.remove(session);
      log.info({ account: session.facts.account, node: session.facts.nodes[0], ...moved }, 'session over');
    },
    (error: unknown) => log.error({ err: error }, 'session failed'),
  );
}

function nothing(): void {
  // The stream is the back-end's.
}
