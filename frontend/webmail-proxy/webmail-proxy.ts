/**
 * The WebMail of a front-end: serves the page, signs users in at the directory, and passes every API request on to the
 * back-end that the mapping names. It remembers nothing: the cookie works at every front-end of the cluster.
 */
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Network } from '../../shared/access/network.ts';
import { Failure } from '../../shared/base/failure.ts';
import { readBody } from '../../shared/http/body.ts';
import { serveHttp } from '../../shared/http/http-service.ts';
import type { Asked, Exchange, HttpLimits, HttpListener, HttpService, Upgrade } from '../../shared/http/http-service.ts';
import { HttpRefusal } from '../../shared/http/refusals.ts';
import { activityOf, refuseCrossSite } from '../../shared/http/same-site.ts';
import { answerLanguage, languagePath } from '../../shared/http/visitor-language.ts';
import type { LanguageChoice } from '../../shared/http/visitor-language.ts';
import { loadStaticFiles, serveStaticFile } from '../../shared/http/static-files.ts';
import type { StaticFiles } from '../../shared/http/static-files.ts';
import { requestLine, traceExchange } from '../../shared/http/traced-exchange.ts';
import type { Logger } from '../../shared/log/log.ts';
import { traceOf } from '../../shared/log/protocol-trace.ts';
import type { ServerTls } from '../../shared/net/server-tls.ts';
import { clearedSetCookie, findSessionCookie, renewedSession, sessionSetCookie, verifySession } from '../../shared/session-cookie/session-cookie.ts';
import type { SessionAges, SessionClaims } from '../../shared/session-cookie/session-cookie.ts';
import type { Authentication, PasswordsAt } from '../authentication/authentication.ts';
import type { OpenSession, SessionSet } from '../login/session-set.ts';
import type { Mapping } from '../mapping/mapping.ts';
import { Backends } from './backends.ts';
import type { UserRequest } from './backends.ts';
import type { QueueLimits } from './backend-queue.ts';
import { answerChallenge, isChallenge } from './challenge.ts';
import type { ChallengeAnswers } from './challenge.ts';
import { Pools } from './pools.ts';
import type { BackendTarget } from './pools.ts';
import { ApiProxy } from './proxy.ts';
import type { ProxyTimes } from './proxy.ts';
import { cleanHeaders, vouchingHeaders } from './request-headers.ts';
import { forwardedFields, seenFrom } from './seen-from.ts';
import type { SeenFrom } from './seen-from.ts';
import { readPasswordChange, signIn, signOut } from './sign-in.ts';
import { WebSockets } from './web-sockets.ts';

export type { BackendTarget } from './pools.ts';

export interface WebmailProxyLimits extends HttpLimits, ProxyTimes {
  readonly maxBodyBytes: number;
  /** In front of each back-end. */
  readonly queue: QueueLimits;
}

export interface WebmailProxyOptions {
  readonly listeners: readonly HttpListener[];
  readonly serverTls: ServerTls;
  readonly mapping: Pick<Mapping, 'lookUp' | 'forget'>;
  readonly authentication: Authentication;
  /** Where the users' passwords are checked. */
  readonly passwordsAt: PasswordsAt;
  /** Whether passwords may come over http. */
  readonly clearTextLogin: 'yes' | 'no';
  /** The trusted WebMail listener of a configured node; undefined for a name that is not configured. */
  readonly backendFor: (node: string) => BackendTarget | undefined;
  /** The domain that completes bare names under this host name; undefined: the cluster's own does. */
  readonly primaryDomainOf: (hostName: string) => string | undefined;
  /** Load balancers that speak HTTP with us: their word on the client counts. */
  readonly httpBalancers: readonly Network[];
  /** At least 32 bytes, the same on all nodes of the cluster. */
  readonly cookieSecret: Buffer;
  readonly ages: SessionAges;
  /** Where requests and streams of known users are kept while they are in progress. */
  readonly sessions: SessionSet;
  /** Answers of ACME challenges; undefined where certificates don't come by ACME. */
  readonly challenges: ChallengeAnswers | undefined;
  /** Where the built page lies. */
  readonly uiDirectory: string;
  readonly limits: WebmailProxyLimits;
  readonly language: LanguageChoice;
  readonly log: Logger;
}

interface Room {
  readonly options: WebmailProxyOptions;
  readonly files: StaticFiles;
  readonly backends: Backends;
  readonly pools: Pools;
  /** Streams of events that are open. */
  readonly streams: Set<ServerResponse>;
}

/** Bodies up to so many bytes are read before they are passed on, so that they can be sent again after a referral. */
const repeatableBytes = 256 * 1024;
/** Heartbeats come every 25 seconds. */
const webSocketIdleMs = 90_000;

/** Opens the listeners. Rejects when a port can't be had or the page is not built. */
export async function startWebmailProxy(given: WebmailProxyOptions): Promise<HttpService> {
  const options = { ...given, log: given.log.child({ service: 'webmailProxy' }) };
  const { mapping, backendFor, limits } = options;
  const pools = new Pools(limits.queue.connections);
  const webSockets = new WebSockets({ ...limits, idleTimeoutMs: webSocketIdleMs }, pools);
  const backends = new Backends({ mapping, backendFor, webSockets, proxy: new ApiProxy(limits, pools), queue: limits.queue });
  const room: Room = { options, backends, pools, streams: new Set(), files: await loadStaticFiles(options.uiDirectory) };
  const service = await serveHttp({
    name: 'webmailProxy',
    listeners: options.listeners,
    serverTls: options.serverTls,
    requestCertificate: () => 'no',
    limits,
    log: options.log,
    handle: async (exchange) => answer(room, exchange),
    upgrade: async (upgrade) => goOn(room, upgrade),
  });
  return {
    ...service,
    stop: async (graceMs) => {
      webSockets.stop();
      for (const response of room.streams) response.destroy();
      await service.stop(graceMs);
      pools.close();
    },
  };
}

async function answer(room: Room, exchange: Exchange): Promise<void> {
  const { path, request, response } = exchange;
  if (isChallenge(path)) return answerChallenge(room.options.challenges, exchange);
  if (!path.startsWith('/api/')) {
    if (serveStaticFile(room.files, path, exchange)) return;
    throw new HttpRefusal('no-such-thing', 'There is no such page.');
  }
  if (request.method === 'GET' && path === languagePath) return answerLanguage(exchange, room.options.language);
  const seen = readOrigin(room, exchange);
  const { options, backends, pools, streams } = room;
  if (request.method === 'POST' && path === '/api/sign-in') return signIn(exchange, seen, { ...options, backends, pools });
  if (request.method === 'POST' && path === '/api/sign-out') return signOut(exchange);
  const claims = readClaims(options, exchange);
  const renewed = activityOf(request) === 'user' ? renewedSession(claims, options.ages, Date.now()) : undefined;
  if (renewed !== undefined) response.setHeader('set-cookie', sessionSetCookie(renewed, options.cookieSecret, options.ages));
  if (path === eventsPath && request.method === 'GET') {
    streams.add(response);
    response.once('close', () => streams.delete(response));
  }
  const { address, session } = claims;
  const tell = traceOf({ service: 'webmailProxy', session, account: address });
  if (tell !== undefined) traceExchange(exchange, tell);
  const onNode = listed(room, { claims, seen }, response);
  const proven = request.method === 'POST' && path === '/api/password' ? await readPasswordChange(exchange, { address, session, seen }, { ...options, backends, pools }) : undefined;
  await passOn(room, exchange, { claims, seen, onNode, body: proven ?? await readRepeatable(exchange, options.limits.maxBodyBytes) });
}

/** A connection that goes on with WebSocket. Only the user's own page may ask for that, as for everything else. */
async function goOn(room: Room, upgrade: Upgrade): Promise<void> {
  const seen = readOrigin(room, upgrade);
  const visit: Visit = { claims: readClaims(room.options, upgrade), seen };
  traceOf({ service: 'webmailProxy', session: visit.claims.session, account: visit.claims.address })?.('client', requestLine(upgrade));
  const onNode = listed(room, visit, upgrade.socket);
  const headers = fieldsFor(visit);
  cleanHeaders(upgrade.request.headers);
  await room.backends.join({ upgrade, address: visit.claims.address, headers, onNode, log: logOf(upgrade, visit) });
}

interface Visit {
  readonly claims: SessionClaims;
  readonly seen: SeenFrom;
}

/** Lists what a known user has in progress until it is over; told where it is served. */
function listed({ options: { sessions } }: Room, { claims, seen }: Visit, client: ServerResponse | Duplex): UserRequest['onNode'] {
  const facts = { session: claims.session, service: 'webmailProxy', client: seen.client, account: claims.address, since: new Date().toISOString() };
  let nodes: readonly string[] = [];
  const session: OpenSession = {
    get facts() {
      return { ...facts, nodes };
    },
    farewell: () => undefined, // stopping has its own order
    cut: () => void client.destroy(),
  };
  sessions.add(session);
  client.once('close', () => sessions.remove(session));
  return (node) => {
    nodes = [node];
  };
}

const eventsPath = '/api/events';

/** Who asks by which way. @throws HttpRefusal('cross-site') */
function readOrigin({ options }: Room, { request }: Asked): SeenFrom {
  const seen = seenFrom(request, options.httpBalancers);
  request.headers.host = seen.host;
  refuseCrossSite(request);
  return seen;
}

function readClaims({ cookieSecret, ages }: WebmailProxyOptions, { request }: Asked): SessionClaims {
  const cookie = findSessionCookie(request.headers.cookie);
  const claims = cookie === undefined ? undefined : verifySession(cookie, { secret: cookieSecret, ages, nowMs: Date.now() });
  if (claims === undefined) throw new HttpRefusal('signed-out', 'Please sign in.');
  return claims;
}

function fieldsFor({ claims: { address, epoch, session }, seen }: Visit): Record<string, string> {
  return { ...forwardedFields(seen), ...vouchingHeaders({ address, epoch, session, client: seen.client }) };
}

function logOf({ log }: Asked, { claims, seen }: Visit): Logger {
  return log.child({ session: claims.session, account: claims.address, client: seen.client });
}

async function passOn({ options, backends }: Room, exchange: Exchange, visit: Visit & Pick<UserRequest, 'body' | 'onNode'>): Promise<void> {
  const { request, response, path } = exchange;
  const { claims: { address }, body, onNode } = visit;
  const headers = fieldsFor(visit);
  cleanHeaders(request.headers);
  const onEpoch = (epoch: number): void => {
    const claims = { ...visit.claims, epoch, seenAtMs: Date.now() };
    response.setHeader('set-cookie', path === '/api/sign-out-everywhere' ? clearedSetCookie : sessionSetCookie(claims, options.cookieSecret, options.ages));
  };
  await backends.pass({ request, response, address, headers, body, onEpoch, onNode, length: path === eventsPath ? 'stream' : 'short', log: logOf(exchange, visit) });
}

/**
 * A body that is small by its own announcement; undefined for one that streams, which only a POST's may: http-proxy passes
 * the chunks of others on without their framing. @throws Failure('message-too-big')
 */
async function readRepeatable({ request, inviteBody }: Exchange, maxBytes: number): Promise<Buffer | undefined> {
  const { method, headers } = request;
  const announced = headers['content-length'];
  if (announced !== undefined && Number(announced) > maxBytes) throw new Failure('message-too-big', 'This is more than can be sent at once.');
  inviteBody();
  if (method === 'POST' && (headers['transfer-encoding'] !== undefined || Number(announced ?? 0) > repeatableBytes)) return undefined;
  const body = await readBody(request, repeatableBytes);
  delete headers['transfer-encoding'];
  return body;
}
