/**
 * The admin API of a node: HTTPS with JSON answers. Other nodes of the cluster ask it (by their certificate), load
 * balancers ask /healthz and /readyz from this machine or, where they are named, from their own. Routes are given by the mains of front-end and back-end.
 */
import type { X509Certificate } from 'node:crypto';
import * as https from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TLSSocket } from 'node:tls';
import { factsOfAct } from './act.ts';
import type { PostKind } from './act.ts';
import { networkContains, parseNetwork } from '../access/network.ts';
import type { Network } from '../access/network.ts';
import { isFailure } from '../base/failure.ts';
import { readJson } from '../http/body.ts';
import type { Logger } from '../log/log.ts';
import { guardServer } from '../net/gate.ts';
import { openServer } from '../net/listen-place.ts';
import type { ListenPlace } from '../net/listen-place.ts';
import type { ServerTls } from '../net/server-tls.ts';
import type { Service } from '../service/service.ts';
import { nodeIdentity } from '../tls/identity.ts';
import type { CertificateSigner, NodeIdentity } from '../tls/identity.ts';

export interface AdminRequest {
  readonly query: URLSearchParams;
  /** The JSON of a POST; undefined for GET. */
  readonly body: unknown;
  /** The asker's IP address. */
  readonly from: string;
  /** The node that asks and what it showed; undefined for everybody who is no trusted node. */
  readonly peer: { readonly identity: NodeIdentity; readonly certificate: X509Certificate } | undefined;
}

/** JSON, text of a type of its own, or bytes as they come. */
export type AdminAnswer =
  | { readonly status: number; readonly body: unknown }
  | { readonly status: number; readonly text: string; readonly contentType: string }
  | { readonly status: number; readonly stream: AsyncIterable<Buffer> };

/** Where acts are written down. */
export interface ActLog {
  /** @throws Failure('storage-failure') when nothing can be written now */
  check(): Promise<void>;
  /** Never rejects. */
  write(request: IncomingMessage, act: { readonly what: string; readonly facts: Readonly<Record<string, unknown>>; readonly result: string; readonly reason?: string }): Promise<void>;
}

/** What changes something comes by POST, and every POST says what it is: an act gets into the audit. */
export type AdminRoute = RoutePlace & ({ readonly method?: 'GET' } | { readonly method: 'POST'; readonly kind: PostKind });

interface RoutePlace {
  /** Path prefix; the rest of the path, percent-decoded, is the argument of `answer`. */
  readonly prefix: string;
  /** `nodes`: only nodes of this cluster that the configuration lists; `backends`: of these, back-ends. `observers`: anybody on this machine, whoever is named, and nodes. `anybody`: strangers too. */
  readonly allow: 'nodes' | 'backends' | 'observers' | 'anybody';
  /** 4 MiB when absent. */
  readonly maxBodyBytes?: number;
  /** A `Failure` is told to the asker as such. */
  readonly answer: (argument: string, request: AdminRequest) => Promise<AdminAnswer>;
}

/** What answers by itself: the API for administrators, a page. */
export interface AdminPart {
  /** Whether a path is one of its own. */
  readonly owns: (path: string) => boolean;
  readonly serve: (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void>;
}

export type AdminOptions = ListenPlace & {
  readonly serverTls: ServerTls;
  readonly isTrustedNode: (identity: NodeIdentity) => boolean;
  readonly signerOf: (socket: TLSSocket) => CertificateSigner;
  readonly routes: readonly AdminRoute[];
  /** From where, besides this machine, routes for observers are open; from nowhere when absent. */
  readonly observers?: readonly Network[];
  readonly acts: ActLog;
  /** Asked before the routes; the first that owns the path. */
  readonly parts?: readonly AdminPart[];
  readonly log: Logger;
};

const thisMachine = [parseNetwork('127.0.0.0/8'), parseNetwork('::1')];
const longestBodyBytes = 4 * 1024 * 1024;
/** For the answers that are on their way when the node stops: that of the very request to restart it is among them. */
const lastAnswersMs = 2000;

/** Starts the API. Rejects with the system's error when the port can't be had. */
export async function startAdmin(options: AdminOptions): Promise<Service> {
  const server = https.createServer(
    { ...options.serverTls.options, requestCert: true, rejectUnauthorized: false, handshakeTimeout: 10_000, maxHeaderSize: 8192, requestTimeout: 10_000 },
    (request, response) => {
      // A page that asks again and again would else stay with a worker that is to leave, and be told of the version before.
      response.once('close', () => { if (!server.listening) setImmediate(() => server.closeIdleConnections()); });
      answerRequest(options, request, response).catch((error: unknown) => {
        if (response.headersSent) {
          options.log.info({ err: error, url: request.url }, 'admin answer was cut');
          response.destroy();
        } else if (isFailure(error)) {
          reply(response, { status: 409, body: { error: error.message, kind: error.kind, node: error.node } });
        } else {
          options.log.error({ err: error, url: request.url }, 'admin request failed');
          reply(response, { status: 500, body: { error: 'internal error; see the log of this node' } });
        }
      });
    },
  );
  options.serverTls.follow?.(server);
  guardServer(server, { ...options, protocol: 'http', handshake: options.serverTls.handshake });
  await openServer(server, options);
  return {
    name: 'admin',
    retire: async () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
      }),
    stop: async () => {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => server.closeAllConnections(), lastAnswersMs);
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
  };
}

async function answerRequest(options: AdminOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = URL.parse(request.url ?? '/', 'https://node');
  if (url === null) return reply(response, { status: 400, body: { error: 'that is no path' } });
  const { pathname: path, searchParams: query } = url;
  const part = options.parts?.find(({ owns }) => owns(path));
  if (part !== undefined) return part.serve(request, response, url);
  const route = options.routes.find(({ prefix, method = 'GET' }) => path.startsWith(prefix) && method === request.method);
  if (route === undefined) {
    reply(response, { status: 404, body: { error: `nothing at ${String(request.method)} ${path}` } });
    return;
  }
  const peer = peerOf(options, request);
  const from = request.socket.remoteAddress ?? '';
  if (!isAllowed(options, route, { peer, from })) {
    reply(response, { status: 403, body: { error: 'only nodes of this cluster may ask this' } });
  } else {
    const body = route.method === 'POST' ? await readJson(request, route.maxBodyBytes ?? longestBodyBytes) : undefined;
    const argument = decodeURIComponent(path.slice(route.prefix.length));
    const answer = await performed(options.acts, request, { route, argument, query, body, peer, from });
    if ('body' in answer) return reply(response, answer);
    if ('text' in answer) {
      response.writeHead(answer.status, { 'content-type': answer.contentType, 'cache-control': 'no-store' });
      response.end(answer.text);
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    await pipeline(Readable.from(answer.stream, { objectMode: false }), response);
  }
}

/** Does what the route does; an act is written down before its answer, refused or done, and not done while it can't be. */
async function performed(acts: ActLog, request: IncomingMessage, { route, argument, ...asked }: AdminRequest & { readonly route: AdminRoute; readonly argument: string }): Promise<AdminAnswer> {
  if (route.method !== 'POST' || typeof route.kind === 'string') return route.answer(argument, asked);
  const act = { what: route.kind.what, facts: factsOfAct(route.kind, argument, asked.body) };
  await acts.check();
  try {
    const answer = await route.answer(argument, asked);
    await acts.write(request, { ...act, result: 'done' });
    return answer;
  } catch (error) {
    await acts.write(request, { ...act, result: isFailure(error) ? error.kind : 'internal', reason: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

/** The node of this cluster that showed its certificate. */
function peerOf({ isTrustedNode, signerOf }: AdminOptions, { socket }: IncomingMessage): AdminRequest['peer'] {
  if (!(socket instanceof TLSSocket)) return undefined;
  const identity = nodeIdentity(socket);
  const certificate = socket.getPeerX509Certificate();
  return identity !== undefined && certificate !== undefined && signerOf(socket) === 'cluster' && isTrustedNode(identity) ? { identity, certificate } : undefined;
}

function isAllowed({ observers = [] }: AdminOptions, { allow }: AdminRoute, { peer, from }: Pick<AdminRequest, 'peer' | 'from'>): boolean {
  if (allow === 'anybody') return true;
  if (peer !== undefined && (allow !== 'backends' || peer.identity.role === 'backend')) return true;
  return allow === 'observers' && [...thisMachine, ...observers].some((network) => networkContains(network, from));
}

function reply(response: ServerResponse, answer: { readonly status: number; readonly body: unknown }): void {
  response.writeHead(answer.status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(answer.body)}\n`);
}
