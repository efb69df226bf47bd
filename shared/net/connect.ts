/** Opens a connection to another server, with TLS if asked, within a time limit. Sessions of earlier handshakes are resumed. */
import * as net from 'node:net';
import * as tls from 'node:tls';
import { LRUCache } from 'lru-cache';
import { Failure } from '../base/failure.ts';
import type { AnySocket } from './connection.ts';
import { connectReusing } from './reused-reads.ts';

/** TLS sessions by `host:port`, so that a login at a back-end does not cost a full handshake. One per process and certificate. */
export class TlsSessions {
  readonly #sessions = new LRUCache<string, Buffer>({ max: 1000, ttl: 3_600_000 });

  find(target: string): Buffer | undefined {
    return this.#sessions.get(target);
  }

  remember(target: string, session: Buffer): void {
    this.#sessions.set(target, session);
  }
}

export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  /** For connection and handshake together. */
  readonly timeoutMs: number;
  /** Implicit TLS with these options; plain TCP when absent. */
  readonly tls?: tls.ConnectionOptions | undefined;
  readonly sessions?: TlsSessions | undefined;
  /** The address of this machine to come from; the operating system chooses when absent. */
  readonly localAddress?: string | undefined;
  /** Goes first, before TLS: a PROXY header. */
  readonly preface?: Buffer | undefined;
  /** For a connection that is to be spliced; makes a difference without TLS only. */
  readonly reads?: 'reused' | undefined;
}

/** Connects; rejects with `backend-unavailable` (refused, unreachable, handshake failed, or too slow), the cause inside. */
export async function connectTo(options: ConnectOptions): Promise<AnySocket> {
  const { preface, tls: tlsOptions } = options;
  if (preface === undefined) return opened(tlsOptions === undefined ? connectPlain(options) : connectTls(options, tlsOptions), options);
  const began = performance.now();
  const socket = await opened(connectPlain(tlsOptions === undefined ? options : { ...options, reads: undefined }), options);
  socket.write(preface);
  if (tlsOptions === undefined) return socket;
  return opened(connectTls(options, { ...tlsOptions, socket }), { ...options, timeoutMs: Math.max(1, options.timeoutMs - (performance.now() - began)) });
}

async function opened<Socket extends AnySocket>(socket: Socket, { host, port, timeoutMs }: Pick<ConnectOptions, 'host' | 'port' | 'timeoutMs'>): Promise<Socket> {
  await new Promise<void>((resolve, reject) => {
    const refuse = (cause: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new Failure('backend-unavailable', 'server can not be reached', { cause }));
    };
    const timer = setTimeout(() => refuse(new Error(`no connection to ${host}:${String(port)} within ${String(timeoutMs)} ms`)), timeoutMs);
    socket.once('error', refuse);
    socket.once(socket instanceof tls.TLSSocket ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      socket.off('error', refuse);
      resolve();
    });
  });
  return socket;
}

/**
 * What connections to servers need whose certificates these authorities (PEM; the system's when undefined) have signed. To be made once:
 * a context of its own costs each connection 0.3 ms, and memory while it is open.
 */
export function clientContext(authorities: string | undefined): tls.SecureContext {
  return tls.createSecureContext({ minVersion: 'TLSv1.2', ecdhCurve: innerKeyExchange, ...(authorities === undefined ? {} : { ca: authorities }) });
}

/**
 * No hybrid with ML-KEM, as between nodes: OpenSSL 3.5 makes its key for each connection in case the server knows it, and holds it as
 * long as the connection, which is 11 kB of each idle session (docs/decisions/front-ends.md). Servers that know no X25519 get the curves of NIST.
 */
const innerKeyExchange = 'X25519:prime256v1:secp384r1';

function comingFrom({ localAddress }: ConnectOptions): { readonly localAddress?: string } {
  return localAddress === undefined ? {} : { localAddress };
}

function connectPlain(options: ConnectOptions): net.Socket {
  const at = { host: options.host, port: options.port, noDelay: true, ...comingFrom(options) };
  return options.reads === 'reused' ? connectReusing(at) : net.connect(at);
}

function connectTls(options: ConnectOptions, tlsOptions: tls.ConnectionOptions): tls.TLSSocket {
  const target = `${options.host}:${String(options.port)}`;
  const session = options.sessions?.find(target);
  const socket = tls.connect({ ...tlsOptions, host: options.host, port: options.port, ...comingFrom(options), ...(session === undefined ? {} : { session }) });
  socket.setNoDelay(true);
  socket.on('session', (fresh: Buffer) => options.sessions?.remember(target, fresh));
  return socket;
}
