/** A back-end's trusted WebMail listener whose answers a test decides: a real HTTPS server of node:https with a node's certificate, which asks for the front-end's. */
import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { cookieName, signSession } from '../../../shared/session-cookie/session-cookie.ts';
import type { WebmailProxyLimits, WebmailProxyOptions } from '../../../frontend/webmail-proxy/webmail-proxy.ts';
import { clusterFor } from '../../backend/webmail/harness.ts';
import { certificateOf, cookieSecret } from '../../harness/webmail-cluster.ts';

export interface OtherBackend {
  readonly port: number;
  readonly requests: IncomingMessage[];
  /** TLS connections made so far. */
  readonly made: () => number;
  /** Those that are open. */
  readonly sockets: Set<Socket>;
}

export interface OtherBackendWays {
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
  readonly upgrade?: (request: IncomingMessage, socket: Socket) => void;
  readonly keepAliveMs?: number;
}

export async function otherBackend(t: TestContext, { answer, upgrade, keepAliveMs = 60_000 }: OtherBackendWays): Promise<OtherBackend> {
  const { certificate, key, authority } = certificateOf('be1');
  const [requests, sockets]: [IncomingMessage[], Set<Socket>] = [[], new Set()];
  let made = 0;
  const server = createServer({ cert: certificate, key, ca: authority, requestCert: true, rejectUnauthorized: true, keepAliveTimeout: keepAliveMs }, (request, response) => {
    requests.push(request);
    answer(request, response);
  });
  if (upgrade !== undefined) server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    requests.push(request);
    upgrade(request, socket);
  });
  server.on('secureConnection', (socket: Socket) => {
    made += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  return { port: typeof address === 'object' ? (address?.port ?? 0) : 0, requests, made: () => made, sockets };
}

export const usualLimits: WebmailProxyLimits = {
  maxHeaderBytes: 16_384, requestTimeoutMs: 30_000, idleTimeoutMs: 30_000, connectTimeoutMs: 1000, answerTimeoutMs: 10_000, maxBodyBytes: 60 * 2 ** 20,
  queue: { connections: 8, connectionsPerUser: 8, maxWaiting: 100, longestWaitMs: 5000 },
};

/** A front-end before it; every user of be1 comes to `be1`, those of be2 to `be2`. Answers the front-end's address. */
export async function frontEndBefore(t: TestContext, backends: { readonly be1: OtherBackend; readonly be2?: OtherBackend }, given: Partial<WebmailProxyOptions> = {}): Promise<string> {
  const { certificate, key, authority } = certificateOf('fe1');
  const tls = { cert: certificate, key, ca: authority, servername: 'localhost' };
  const cluster = await clusterFor(t, {
    proxy: { backendFor: (node) => ({ node, host: '127.0.0.1', port: (node === 'be2' ? (backends.be2 ?? backends.be1) : backends.be1).port, tls }), limits: usualLimits, ...given },
  });
  return cluster.urls[0];
}

/** The cookie of somebody who is signed in. */
export function cookieOf(address: string): string {
  const nowMs = Date.now();
  return `${cookieName}=${signSession({ address, epoch: 1, session: 's', signedInAtMs: nowMs, seenAtMs: nowMs }, cookieSecret)}`;
}

export async function waitUntil(holds: () => boolean, timeoutMs = 5000): Promise<boolean> {
  for (const endMs = Date.now() + timeoutMs; Date.now() < endMs; await new Promise((resolve) => setTimeout(resolve, 20))) if (holds()) return true;
  return holds();
}
