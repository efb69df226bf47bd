/**
 * The WebMail of a front-end: serves the page, signs users in at the directory, and passes every API request on to the
 * back-end that the mapping names. It remembers nothing: the cookie works at every front-end of the cluster.
 */
import { Failure } from '../../shared/base/failure.ts';
import { readBody } from '../../shared/http/body.ts';
import { serveHttp } from '../../shared/http/http-service.ts';
import type { Exchange, HttpLimits, HttpListener, HttpService } from '../../shared/http/http-service.ts';
import { HttpRefusal } from '../../shared/http/refusals.ts';
import { activityOf, refuseCrossSite } from '../../shared/http/same-site.ts';
import { loadStaticFiles, serveStaticFile } from '../../shared/http/static-files.ts';
import type { StaticFiles } from '../../shared/http/static-files.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { ServerTls } from '../../shared/net/server-tls.ts';
import { findSessionCookie, renewedSession, sessionSetCookie, verifySession } from '../../shared/session-cookie/session-cookie.ts';
import type { SessionAges, SessionClaims } from '../../shared/session-cookie/session-cookie.ts';
import type { Authentication, PasswordsAt } from '../authentication/authentication.ts';
import type { Mapping } from '../mapping/mapping.ts';
import { Backends } from './backends.ts';
import { ApiProxy } from './proxy.ts';
import type { BackendTarget, ProxyTimes } from './proxy.ts';
import { cleanHeaders, vouchingHeaders } from './request-headers.ts';
import { signIn, signOut } from './sign-in.ts';

export type { BackendTarget } from './proxy.ts';

export interface WebmailProxyLimits extends HttpLimits, ProxyTimes {
  readonly maxBodyBytes: number;
  /** Requests under way at one back-end. */
  readonly maxPendingPerBackend: number;
}

export interface WebmailProxyOptions {
  readonly listeners: readonly HttpListener[];
  readonly serverTls: ServerTls;
  readonly mapping: Pick<Mapping, 'lookUp' | 'forget'>;
  readonly authentication: Authentication;
  /** Where the users' passwords are checked. */
  readonly passwordsAt: PasswordsAt;
  /** The trusted WebMail listener of a configured node; undefined for a name that is not configured. */
  readonly backendFor: (node: string) => BackendTarget | undefined;
  /** The domain that completes bare names under this host name; undefined: the cluster's own does. */
  readonly primaryDomainOf: (hostName: string) => string | undefined;
  /** At least 32 bytes, the same on all nodes of the cluster. */
  readonly cookieSecret: Buffer;
  readonly ages: SessionAges;
  /** Where the built page lies. */
  readonly uiDirectory: string;
  readonly limits: WebmailProxyLimits;
  readonly log: Logger;
}

interface Room {
  readonly options: WebmailProxyOptions;
  readonly files: StaticFiles;
  readonly backends: Backends;
  readonly proxy: ApiProxy;
}

/** Bodies up to so many bytes are read before they are passed on, so that they can be sent again after a referral. */
const repeatableBytes = 256 * 1024;

/** Opens the listeners. Rejects when a port can't be had or the page is not built. */
export async function startWebmailProxy(given: WebmailProxyOptions): Promise<HttpService> {
  const options = { ...given, log: given.log.child({ service: 'webmailProxy' }) };
  const { mapping, backendFor, limits } = options;
  const proxy = new ApiProxy(limits);
  const backends = new Backends({ mapping, backendFor, proxy, maxPendingPerBackend: limits.maxPendingPerBackend });
  const room: Room = { options, backends, proxy, files: await loadStaticFiles(options.uiDirectory) };
  const service = await serveHttp({
    name: 'webmailProxy',
    listeners: options.listeners,
    serverTls: options.serverTls,
    requestCertificate: () => 'no',
    limits,
    log: options.log,
    handle: async (exchange) => answer(room, exchange),
  });
  return {
    ...service,
    stop: async (graceMs) => {
      await service.stop(graceMs);
      proxy.close();
    },
  };
}

async function answer(room: Room, exchange: Exchange): Promise<void> {
  const { path, request } = exchange;
  if (!path.startsWith('/api/')) {
    if (serveStaticFile(room.files, path, exchange)) return;
    throw new HttpRefusal('no-such-thing', 'There is no such page.');
  }
  refuseCrossSite(request);
  if (request.method === 'POST' && path === '/api/sign-in') return signIn(exchange, { ...room.options, agentFor: (target) => room.proxy.agentFor(target) });
  if (request.method === 'POST' && path === '/api/sign-out') return signOut(exchange);
  await passOn(room, exchange, readClaims(room.options, exchange));
}

function readClaims({ cookieSecret, ages }: WebmailProxyOptions, { request }: Exchange): SessionClaims {
  const cookie = findSessionCookie(request.headers.cookie);
  const claims = cookie === undefined ? undefined : verifySession(cookie, { secret: cookieSecret, ages, nowMs: Date.now() });
  if (claims === undefined) throw new HttpRefusal('signed-out', 'Please sign in.');
  return claims;
}

async function passOn(room: Room, exchange: Exchange, claims: SessionClaims): Promise<void> {
  const { request, response, path } = exchange;
  const { options, backends } = room;
  const renewed = activityOf(request) === 'user' ? renewedSession(claims, options.ages, Date.now()) : undefined;
  if (renewed !== undefined) response.setHeader('set-cookie', sessionSetCookie(renewed, options.cookieSecret, options.ages));
  const headers = vouchingHeaders({ address: claims.address, epoch: claims.epoch, session: claims.session, client: request.socket.remoteAddress ?? '' });
  const body = await readRepeatable(exchange, options.limits.maxBodyBytes);
  cleanHeaders(request.headers);
  const log = exchange.log.child({ session: claims.session, account: claims.address });
  await backends.pass({ request, response, address: claims.address, headers, body, length: path === '/api/events' ? 'stream' : 'short', log });
}

/**
 * A body that is small by its own announcement; undefined for one that streams, which only a POST's may: http-proxy passes
 * the chunks of others on without their framing. @throws Failure('message-too-big')
 */
async function readRepeatable({ request }: Exchange, maxBytes: number): Promise<Buffer | undefined> {
  const { method, headers } = request;
  const announced = headers['content-length'];
  if (announced !== undefined && Number(announced) > maxBytes) throw new Failure('message-too-big', 'This is more than can be sent at once.');
  if (method === 'POST' && (headers['transfer-encoding'] !== undefined || Number(announced ?? 0) > repeatableBytes)) return undefined;
  const body = await readBody(request, repeatableBytes);
  delete headers['transfer-encoding'];
  return body;
}
