/**
 * The SMTP proxy of a front-end. It takes mail from the world (MX listeners) for the users the directory knows, and mail
 * from the users (submission listeners), and streams each message to one back-end. It keeps nothing: 250 is said only
 * when a back-end has said it.
 */
import { networkContains } from '../../shared/access/network.ts';
import type { Network } from '../../shared/access/network.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { AnySocket } from '../../shared/net/connection.ts';
import type { TlsSessions } from '../../shared/net/connect.ts';
import { optionsAt } from '../../shared/net/listen-place.ts';
import type { ListenPlace } from '../../shared/net/listen-place.ts';
import { listen, retireAll } from '../../shared/net/listener.ts';
import type { ServerTls } from '../../shared/net/server-tls.ts';
import type { Service } from '../../shared/service/service.ts';
import { parseAddress } from '../../shared/smtp/address.ts';
import { makeReply } from '../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../shared/smtp/refusal.ts';
import type { SmtpTimeouts } from '../../shared/smtp/reply-reader.ts';
import { serveSmtp } from '../../shared/smtp/server-session.ts';
import type { SmtpHandlers, SmtpPeer, SmtpSessions } from '../../shared/smtp/server-session.ts';
import type { SmtpLimits } from '../../shared/smtp/limits.ts';
import type { AuthPolicy, PasswordsAt, SaslAuthentication } from '../authentication/authentication.ts';
import type { BackendTarget } from '../login/login.ts';
import type { OpenSession, SessionSet } from '../login/session-set.ts';
import type { Mapping, Route } from '../mapping/mapping.ts';
import { Legs, frontendKeyword, keywordValue } from './leg.ts';
import type { LegTarget } from './leg.ts';
import { replyTo } from './replies.ts';
import { mechanismsFor } from './sasl.ts';
import { SessionLegs } from './session-legs.ts';
import { Submission } from './submission.ts';
import type { Submitter } from './submission.ts';
import { IncomingTransaction } from './transaction.ts';
import type { TransactionRoad } from './transaction.ts';

export type { LegTarget } from './leg.ts';

export type SmtpProxyListener = ListenPlace & {
  /** `mx`: mail from the world, no AUTH. `submission`: mail from users, AUTH required. */
  readonly kind: 'mx' | 'submission';
  readonly tls: 'implicit' | 'starttls';
};

/** The back-ends as the configuration names them, with this node's client certificate in `tls`. */
export interface SmtpBackends {
  /** The trusted LMTP listener a route leads to, or a foreign server; undefined when it leads to no server we can talk to. */
  lmtp(route: Route): LegTarget | undefined;
  /** The trusted submission listener a route leads to. */
  submission(route: Route): BackendTarget | undefined;
  /** The listeners of all configured back-ends that may take custody: of mail from the world, or of a submission. */
  custodians(of: 'lmtp' | 'submission'): readonly BackendTarget[];
}

export interface SmtpProxyOptions {
  readonly listeners: readonly SmtpProxyListener[];
  readonly clusterName: string;
  /** The name in greetings, and in LHLO towards back-ends. */
  readonly hostName: string;
  /** Completes recipients without a domain. */
  readonly primaryDomain: string;
  readonly serverTls: ServerTls;
  /** For listeners of users, if they are shown something else. */
  readonly userTls?: ServerTls | undefined;
  readonly mapping: Mapping;
  readonly authentication: SaslAuthentication;
  /** By what users may log in. */
  readonly authPolicy: AuthPolicy;
  /** Where their passwords are checked. */
  readonly passwordsAt: PasswordsAt;
  readonly backends: SmtpBackends;
  readonly domainTerms?: TransactionRoad['domainTerms'];
  readonly sessions: TlsSessions;
  /** Where the clients' conversations are kept while they go on. */
  readonly clients: SessionSet;
  readonly connectTimeoutMs: number;
  readonly backendTimeouts: SmtpTimeouts;
  /** A back-end that could not be reached is left alone for so long. */
  readonly backendDownMs: number;
  readonly limits: SmtpLimits;
  /** Proxies in front of this one, whose XCLIENT is believed. */
  readonly trustedProxies?: readonly Network[] | undefined;
  /** How long a client on an MX listener must wait for the greeting without talking. */
  readonly greetingDelayMs: number;
  readonly log: Logger;
}

/** Patience with back-ends in the same cluster: a node that hangs must not hold its clients for RFC 5321's five minutes. */
export const defaultBackendTimeouts: SmtpTimeouts = {
  greetingMs: 10_000, commandMs: 20_000, mailMs: 60_000, rcptMs: 60_000, dataMs: 60_000, messageMs: 180_000, finalMs: 600_000, quitMs: 2000,
};

/** Opens the listeners; the service answers their ports, in the order of `listeners`. */
export async function startSmtpProxy(given: SmtpProxyOptions): Promise<Service & { readonly ports: readonly number[] }> {
  const options = { ...given, log: given.log.child({ service: 'smtpProxy' }) };
  const legs = new Legs({ ...options, timeouts: options.backendTimeouts, downMs: options.backendDownMs });
  const opened = await Promise.all(options.listeners.map(async (listener) => {
    const make = listener.kind === 'mx' ? mxSessions : submissionSessions;
    const [ofClients, ofProxies] = [make(options, { ...listener, peers: 'clients' }, legs), make(options, { ...listener, peers: 'trusted proxies' }, legs)];
    const { trustedProxies = [], log } = options;
    const serverTls = tlsFor(options, listener);
    const isProxy = (socket: AnySocket): boolean => trustedProxies.some((network) => networkContains(network, socket.remoteAddress ?? ''));
    const opening = listen({ ...listener, protocol: 'smtp', serverTls, requestCertificate: serverTls.requestCertificate, log }, (socket) => (isProxy(socket) ? ofProxies : ofClients).accept(socket));
    return { listener: await opening, sessions: [ofClients, ofProxies] };
  }));
  return {
    name: 'smtpProxy',
    ports: opened.map(({ listener }) => listener.port),
    retire: async () => retireAll(opened.map(({ listener }) => listener)),
    stop: async (graceMs) => {
      await Promise.all(opened.map(async ({ listener }) => listener.close()));
      await Promise.all(opened.flatMap(({ sessions }) => sessions).map(async (each) => each.stop(graceMs)));
    },
  };
}

/** Other servers are not asked for certificates: those they have are not of the users' authority. */
function tlsFor({ serverTls, userTls = serverTls }: SmtpProxyOptions, { kind, serverTls: own }: SmtpProxyListener): ServerTls {
  return own ?? (kind === 'mx' ? serverTls : userTls);
}

/** A session's current transaction; the one before it is confirmed by whatever the client says next. */
interface Session<T> {
  readonly peer: SmtpPeer;
  readonly legs: SessionLegs;
  submitter: Submitter | undefined;
  transaction: T | undefined;
  readonly listed: OpenSession;
}

/** What both kinds of transaction have in common. */
interface Transaction {
  /** The client has gone on after our last reply; its session goes on, too. */
  confirm(): void;
  /** The client has said goodbye after our last reply. */
  finish(): void;
  /** The client is gone without a word. */
  abandon(): void;
}

/** A listener, for one kind of who connects. */
type Door = SmtpProxyListener & { readonly peers: 'clients' | 'trusted proxies' };

function mxSessions(options: SmtpProxyOptions, listener: Door, legs: Legs): SmtpSessions {
  const { mapping, backends, domainTerms, hostName, log } = options;
  const road = { mapping, legs, domainTerms, hostName, log, lmtpOf: (route: Route) => backends.lmtp(route), custodians: () => backends.custodians('lmtp') };
  return serve<IncomingTransaction>(options, listener, {
    ...sessionEnds(options, legs),
    mail: (session, sender) => {
      endTransaction(session);
      if (sender.address !== '' && parseAddress(sender.address) === undefined) throw new SmtpRefused('mail', makeReply(501, '5.1.7', 'malformed address'));
      session.transaction = new IncomingTransaction(road, session, sender);
    },
    recipient: async (session, recipient) => session.transaction?.recipient(recipient),
    message: async (session, bytes) => begun(session).message(bytes),
  });
}

function submissionSessions(options: SmtpProxyOptions, listener: Door, legs: Legs): SmtpSessions {
  const { mapping, backends, log } = options;
  const road = { mapping, legs, log, submissionOf: (route: Route) => backends.submission(route), custodians: () => backends.custodians('submission') };
  return serve<Submission>(options, listener, {
    ...sessionEnds(options, legs),
    mechanisms: (session) => mechanismsFor({ ...options, ...road }, session.peer, (user) => {
      session.submitter = user;
    }),
    mail: async (session, sender) => {
      endTransaction(session);
      if (session.submitter === undefined) throw new Error('MAIL without a submitter');
      session.transaction = new Submission(road, { ...session, submitter: session.submitter });
      await session.transaction.begin(sender);
    },
    recipient: async (session, recipient) => session.transaction?.recipient(recipient),
    message: async (session, bytes) => begun(session).message(bytes),
  });
}

function serve<T>(options: SmtpProxyOptions, listener: Door, handlers: SmtpHandlers<Session<T>>): SmtpSessions {
  const { hostName, clusterName, primaryDomain, log } = options;
  const { limits } = optionsAt(options, listener);
  const serverTls = tlsFor(options, listener);
  return serveSmtp<Session<T>>({
    service: 'smtpProxy', protocol: 'smtp', hostName, primaryDomain, encryption: listener.tls, serverTls: () => serverTls, authentication: listener.kind === 'mx' ? 'none' : 'required',
    trustedPeers: listener.peers === 'trusted proxies' ? 'yes' : 'no', extensions: [`${frontendKeyword} ${keywordValue(clusterName)}`], extraParameters: [], limits, greetingDelayMs: listener.kind === 'mx' ? options.greetingDelayMs : 0, log, handlers,
    replyTo: (thrown, sessionId) => replyTo(thrown, { sessionId, log }),
  });
}

function sessionEnds<T extends Transaction>({ clients }: SmtpProxyOptions, legs: Legs): Pick<SmtpHandlers<Session<T>>, 'open' | 'reset' | 'close'> {
  return {
    open: (peer) => {
      const since = new Date().toISOString();
      const session: Session<T> = {
        peer, legs: new SessionLegs(legs, peer), submitter: undefined, transaction: undefined,
        listed: {
          get facts() {
            return { session: peer.sessionId, service: 'smtpProxy', client: peer.address, account: session.submitter?.address, nodes: session.legs.nodes, since };
          },
          farewell: () => undefined, // said by the conversation itself
          cut: () => peer.socket.destroy(),
        },
      };
      clients.add(session.listed);
      return session;
    },
    reset: endTransaction,
    close: (session, how) => {
      if (how === 'cut') session.transaction?.abandon();
      else session.transaction?.finish();
      session.legs.end();
      clients.remove(session.listed);
    },
  };
}

/** The client went on, so it has had our last reply. */
function endTransaction<T extends Transaction>(session: Session<T>): void {
  session.transaction?.confirm();
  session.transaction = undefined;
}

function begun<T>(session: Session<T>): T {
  if (session.transaction === undefined) throw new Error('DATA without a transaction');
  return session.transaction;
}
