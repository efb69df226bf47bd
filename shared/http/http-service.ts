/**
 * The HTTP servers of one service: listeners, limits, ids of requests, the common headers, what happens to errors, and a
 * stop that lets running requests finish. Front-end and back-end WebMail give it their handler.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import type { Duplex } from 'node:stream';
import { newSessionId } from '../base/session-id.ts';
import type { AddressLimitOptions } from '../access/address-limit.ts';
import type { Logger } from '../log/log.ts';
import { guardServer } from '../net/gate.ts';
import type { Balancers } from '../net/gate.ts';
import type { ServerTls } from '../net/server-tls.ts';
import type { Service } from '../service/service.ts';
import { setPageHeaders } from './page-headers.ts';
import { errorAnswer, isUnexpected, sendError } from './refusals.ts';

export interface HttpListener {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** `none`: a proxy in front does the TLS. Cookies are Secure all the same. */
  readonly tls: 'implicit' | 'none';
  /** Load balancers in front that speak the PROXY protocol. */
  readonly balancers?: Balancers | undefined;
}

export interface HttpLimits {
  /** Per listener and worker. */
  readonly maxConnections: number;
  /** Of one client address; no limit when absent. */
  readonly perAddress?: AddressLimitOptions | undefined;
  /** Request line and header fields, bytes. */
  readonly maxHeaderBytes: number;
  /** From the first byte of a request to the end of its body. */
  readonly requestTimeoutMs: number;
  /** How long a connection without requests stays open. */
  readonly idleTimeoutMs: number;
}

/** One request and the place for its answer. */
export interface Exchange<Listener extends HttpListener = HttpListener> {
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly listener: Listener;
  /** Names this request in the log. */
  readonly id: string;
  readonly log: Logger;
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
    ports: servers.map(portOf),
    retire: async () => {
      await Promise.all(servers.map(async (server) => retire(server)));
    },
    stop: async (graceMs) => {
      await Promise.all(servers.map(async (server) => drain(server, graceMs)));
    },
  };
}

async function openServer<Listener extends HttpListener>(options: HttpOptions<Listener>, listener: Listener): Promise<http.Server> {
  const { limits, log } = options;
  const settings: http.ServerOptions = {
    maxHeaderSize: limits.maxHeaderBytes,
    requestTimeout: limits.requestTimeoutMs,
    headersTimeout: Math.min(limits.requestTimeoutMs, 20_000),
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: 5_000,
    noDelay: true,
  };
  const answer = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    if (!server.listening) response.shouldKeepAlive = false; // the client's next request is for those who accept
    answerRequest(options, listener, { request, response });
  };
  const requestCert = options.requestCertificate(listener) === 'yes';
  const server = listener.tls === 'implicit'
    ? https.createServer({ ...options.serverTls.options, ...settings, handshakeTimeout: 20_000, requestCert, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }, answer)
    : http.createServer(settings, answer);
  guardServer(server, { balancers: listener.balancers, perAddress: limits.perAddress, log: log.child({ service: options.name }) }, listener);
  server.maxConnections = limits.maxConnections;
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => refuseUnreadable(error, socket));
  server.on('drop', () => log.warn({ service: options.name, port: listener.port }, 'connection refused: too many'));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listener.port, listener.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', (error) => log.error({ err: error, port: listener.port }, 'listener failed'));
  return server;
}

function answerRequest<Listener extends HttpListener>(
  options: HttpOptions<Listener>,
  listener: Listener,
  { request, response }: Pick<Exchange, 'request' | 'response'>,
): void {
  const id = newSessionId();
  const log = options.log.child({ request: id, client: request.socket.remoteAddress });
  const fail = (error: unknown): void => {
    if (isDeparture(error)) return;
    if (isUnexpected(error)) log.error({ err: error, method: request.method, url: request.url }, 'request failed');
    else log.info({ method: request.method, url: request.url, kind: kindOf(error), reason: String(error) }, 'request refused');
    if (!response.destroyed) sendError(response, errorAnswer(error, id));
  };
  setPageHeaders(response);
  const url = URL.parse(request.url ?? '/', 'https://node.invalid');
  if (url === null) {
    response.writeHead(400).end();
    return;
  }
  options.handle({ request, response, path: url.pathname, query: url.searchParams, listener, id, log }).catch(fail);
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

function portOf(server: http.Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Stops accepting and closes idle connections; resolves when the last one is gone. */
async function retire(server: http.Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
}

/** Stops accepting, waits for running requests, cuts what is left. */
async function drain(server: http.Server, graceMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
