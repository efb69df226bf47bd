/**
 * The admin API of a node: HTTPS with JSON answers. Other nodes of the cluster ask it (by their certificate), load
 * balancers ask /healthz and /readyz from loopback. Routes are given by the mains of front-end and back-end.
 */
import * as https from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Logger } from '../log/log.ts';
import { guardServer } from '../net/gate.ts';
import type { GateOptions } from '../net/gate.ts';
import type { ServerTls } from '../net/server-tls.ts';
import type { Service } from '../service/service.ts';
import { nodeIdentity } from '../tls/identity.ts';
import type { NodeIdentity } from '../tls/identity.ts';

export interface AdminRoute {
  /** Path prefix; the rest of the path, percent-decoded, is the argument of `answer`. */
  readonly prefix: string;
  /** `nodes`: only nodes of this cluster that the configuration lists. `loopback`: anybody on this machine, and nodes. */
  readonly allow: 'nodes' | 'loopback';
  readonly answer: (argument: string) => Promise<{ readonly status: number; readonly body: unknown }>;
}

export interface AdminOptions extends Pick<GateOptions, 'balancers'> {
  readonly host: string;
  readonly port: number;
  readonly serverTls: ServerTls;
  readonly isTrustedNode: (identity: NodeIdentity) => boolean;
  readonly routes: readonly AdminRoute[];
  readonly log: Logger;
}

/** Starts the API; GET only. Rejects with the system's error when the port can't be had. */
export async function startAdmin(options: AdminOptions): Promise<Service> {
  const server = https.createServer(
    { ...options.serverTls.options, requestCert: true, rejectUnauthorized: false, maxHeaderSize: 8192, requestTimeout: 10_000 },
    (request, response) => {
      answerRequest(options, request, response).catch((error: unknown) => {
        options.log.error({ err: error, url: request.url }, 'admin request failed');
        reply(response, { status: 500, body: { error: 'internal error; see the log of this node' } });
      });
    },
  );
  guardServer(server, options);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    name: 'admin',
    retire: async () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
      }),
    stop: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

async function answerRequest(options: AdminOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? '/', 'https://node').pathname;
  const route = options.routes.find((candidate) => path.startsWith(candidate.prefix));
  if (request.method !== 'GET' || route === undefined) {
    reply(response, { status: 404, body: { error: `nothing at ${String(request.method)} ${path}` } });
  } else if (!isAllowed(options, request, route)) {
    reply(response, { status: 403, body: { error: 'only nodes of this cluster may ask this' } });
  } else {
    reply(response, await route.answer(decodeURIComponent(path.slice(route.prefix.length))));
  }
}

function isAllowed(options: AdminOptions, request: IncomingMessage, route: AdminRoute): boolean {
  if (request.socket instanceof TLSSocket) {
    const identity = nodeIdentity(request.socket);
    if (identity !== undefined && options.isTrustedNode(identity)) return true;
  }
  const peer = request.socket.remoteAddress ?? '';
  return route.allow === 'loopback' && (peer.startsWith('127.') || peer === '::1' || peer.startsWith('::ffff:127.'));
}

function reply(response: ServerResponse, answer: { readonly status: number; readonly body: unknown }): void {
  response.writeHead(answer.status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(answer.body)}\n`);
}
