/**
 * The HTTP servers of one service: listeners, limits, ids of requests, the common headers, what happens to errors, and a
 * stop that lets running requests finish. Front-end and back-end WebMail give it their handler.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import type { Duplex } from 'node:stream';
import { newSessionId } from '../base/session-id.ts';
import type { Logger } from '../log/log.ts';
import { guardServer } from '../net/gate.ts';
import { nameOfPlace, openServer as openAt } from '../net/listen-place.ts';
import type { ListenPlace } from '../net/listen-place.ts';
import type { ServerTls } from '../net/server-tls.ts';
import type { Service } from '../service/service.ts';
import { readHostField } from './host-field.ts';
import { setPageHeaders } from './page-headers.ts';
import { errorAnswer, isUnexpected, refuseUpgrade, sendError } from './refusals.ts';

export type HttpListener = ListenPlace & {
  /** `none`: a proxy in front does the TLS. Cookies are Secure all the same. */
  readonly tls: 'implicit' | 'none';
};

export interface HttpLimits {
  /** Request line and header fields, bytes. */
  readonly maxHeaderBytes: number;
  /** From the first byte of a request to the end of its body. */
  readonly requestTimeoutMs: number;
  /** How long a connection without requests stays open. */
  readonly idleTimeoutMs: number;
}

/** What is known of a request before it is answered. */
export interface Asked<Listener extends HttpListener = HttpListener> {
  readonly request: http.IncomingMessage;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly listener: Listener;
  /** Names this request in the log. */
  readonly id: string;
  readonly log: Logger;
}

/** One request and the place for its answer. */
export interface Exchange<Listener extends HttpListener = HttpListener> extends Asked<Listener> {
  readonly response: http.ServerResponse;
  /** Tells a client that waits for it (Expect: 100-continue) to send the body. Whoever reads a body says so first. */
  readonly inviteBody: () => void;
}

/** A request to go on with WebSocket on its connection. */
export interface Upgrade<Listener extends HttpListener = HttpListener> extends Asked<Listener> {
  readonly socket: Duplex;
  /** What the client sent after the request. */
  readonly head: Buffer;
}

export interface HttpOptions<Listener extends HttpListener> {
  readonly name: string;
  readonly listeners: readonly Listener[];
  readonly serverTls: ServerTls;
  /** Whether a client certificate is asked for (never demanded). */
  readonly requestCertificate: (listener: Listener) => 'yes' | 'no';
  readonly limits: HttpLimits;
  readonly log: Logger;
  /** Answers; what it throws becomes an error answer. */
  readonly handle: (exchange: Exchange<Listener>) => Promise<void>;
  /** Takes over connections that go on with WebSocket; what it throws before becomes an error answer. Absent: nothing does. */
  readonly upgrade?: (upgrade: Upgrade<Listener>) => Promise<void>;
}

export interface HttpService extends Service {
  /** The ports in use, in the order of the listeners. */
  readonly ports: readonly number[];
}

/** Opens the listeners. Rejects with the system's error when a port can't be had. */
export async function serveHttp<Listener extends HttpListener>(options: HttpOptions<Listener>): Promise<HttpService> {
  const servers = await Promise.all(options.listeners.map(async (listener) => openServer(options, listener)));
  return {
    name: options.name,
    ports: servers.map(({ port }) => port),
    retire: async () => {
      await Promise.all(servers.map(async ({ server }) => retire(server)));
    },
    stop: async (graceMs) => {
      await Promise.all(servers.map(async (server) => drain(server, graceMs)));
    },
  };
}

interface OpenServer {
  readonly server: http.Server;
  readonly port: number;
  /** Connections that went on with WebSocket: the server knows nothing of them any more. */
  readonly upgraded: Set<Duplex>;
}

async function openServer<Listener extends HttpListener>(options: HttpOptions<Listener>, listener: Listener): Promise<OpenServer> {
  const { limits, log } = options;
  const settings: http.ServerOptions = {
    maxHeaderSize: limits.maxHeaderBytes,
    requestTimeout: limits.requestTimeoutMs,
    headersTimeout: Math.min(limits.requestTimeoutMs, 20_000),
    keepAliveTimeout: listener.idleTimeoutMs ?? limits.idleTimeoutMs,
    connectionsCheckingInterval: 5_000,
    noDelay: true,
    shouldUpgradeCallback: (request) => options.upgrade !== undefined && request.headers.upgrade?.toLowerCase() === 'websocket', // others are answered without (RFC 9110 section 7.8)
  };
  const answer = (request: http.IncomingMessage, response: http.ServerResponse, inviteBody: () => void = () => undefined): void => {
    if (!server.listening) response.shouldKeepAlive = false; // the client's next request is for those who accept
    answerRequest(options, listener, { request, response, inviteBody });
  };
  const { serverTls = options.serverTls } = listener;
  const requestCert = options.requestCertificate(listener) === 'yes';
  const server = listener.tls === 'implicit'
    ? https.createServer({ ...serverTls.options, ...settings, handshakeTimeout: 20_000, requestCert, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }, answer)
    : http.createServer(settings, answer);
  if (server instanceof https.Server) serverTls.follow?.(server);
  guardServer(server, { ...listener, protocol: 'http', handshake: listener.tls === 'implicit' ? serverTls.handshake : undefined, log });
  server.on('checkContinue', (request: http.IncomingMessage, response: http.ServerResponse) => answer(request, response, () => response.writeContinue()));
  const upgraded = new Set<Duplex>();
  server.on('upgrade', (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    answerUpgrade(options, listener, { request, socket, head });
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => refuseUnreadable(error, socket));
  const port = await openAt(server, listener);
  server.on('error', (error) => log.error({ err: error, at: nameOfPlace(listener) }, 'listener failed'));
  return { server, port, upgraded };
}

function answerRequest<Listener extends HttpListener>(
  options: HttpOptions<Listener>,
  listener: Listener,
  { request, response, inviteBody }: Pick<Exchange, 'request' | 'response' | 'inviteBody'>,
): void {
  setPageHeaders(response, 'webmail');
  const asked = askedBy(options, listener, request);
  if (asked === undefined) {
    response.writeHead(400, { connection: 'close' }).end();
    return;
  }
  options.handle({ ...asked, response, inviteBody }).catch((error: unknown) => {
    tell(asked, error);
    if (!isDeparture(error) && !response.destroyed) sendError(response, errorAnswer(error, asked.id));
  });
}

function answerUpgrade<Listener extends HttpListener>(options: HttpOptions<Listener>, listener: Listener, given: Pick<Upgrade, 'request' | 'socket' | 'head'>): void {
  const { request, socket } = given;
  socket.on('error', () => undefined); // the server gave it away: a reset of the client would end the process
  const asked = askedBy(options, listener, request);
  if (asked === undefined) {
    refuseUnreadable(new Error('not to be understood'), socket);
    return;
  }
  options.upgrade?.({ ...asked, ...given }).catch((error: unknown) => {
    tell(asked, error);
    refuseUpgrade(socket, errorAnswer(error, asked.id));
  });
}

/** Undefined for requests that can't be understood: RFC 9112 section 3.2 wants one Host, and one that is a host. */
function askedBy<Listener extends HttpListener>(options: HttpOptions<Listener>, listener: Listener, request: http.IncomingMessage): Asked<Listener> | undefined {
  const id = newSessionId();
  const log = options.log.child({ request: id, client: request.socket.remoteAddress });
  const url = URL.parse(request.url ?? '/', 'https://node.invalid');
  const hosts = request.headersDistinct['host'] ?? [];
  const [host = 'node.invalid'] = hosts;
  if (url === null || hosts.length > 1 || readHostField(host) === undefined) return undefined;
  return { request, path: url.pathname, query: url.searchParams, listener, id, log };
}

function tell({ request: { method, url }, log }: Asked, error: unknown): void {
  if (isDeparture(error)) return;
  if (isUnexpected(error)) log.error({ err: error, method, url }, 'request failed');
  else log.info({ method, url, kind: kindOf(error), reason: String(error) }, 'request refused');
}

/** What streams say when the client leaves in the middle: nobody is left to tell, and nothing is wrong here. */
function isDeparture(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE'].includes(String(error.code));
}

function kindOf(error: unknown): unknown {
  return error instanceof Error && 'kind' in error ? error.kind : undefined;
}

/** Words for requests that could not be read: RFC 6585 section 5 for too large headers, RFC 9110 section 15.5.9 for slow ones. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large'
    : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

/** Stops accepting and closes idle connections; resolves when the last one is gone. */
async function retire(server: http.Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
}

/** Stops accepting, waits for running requests, cuts what is left. */
async function drain({ server, upgraded }: OpenServer, graceMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const cut = setTimeout(() => {
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
    }, graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
