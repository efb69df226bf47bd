/** Opens a port or a Unix socket and hands over its connections, after the TLS handshake where the listener has implicit TLS. */
import * as net from 'node:net';
import * as tls from 'node:tls';
import type { AnySocket } from './connection.ts';
import { guardServer } from './gate.ts';
import type { GateOptions } from './gate.ts';
import { nameOfPlace, openServer } from './listen-place.ts';
import type { ListenPlace } from './listen-place.ts';
import { limitChain } from './peer-verdict.ts';
import type { ServerTls } from './server-tls.ts';

export type ListenOptions = ListenPlace & Pick<GateOptions, 'protocol' | 'log'> & {
  /** `implicit`: the handshake comes first. `starttls` and `none` are the same here: the conversation decides. */
  readonly tls: 'implicit' | 'starttls' | 'none';
  readonly serverTls: ServerTls;
  /** `yes`: a client certificate is asked for (never demanded); see `nodeIdentity`. */
  readonly requestCertificate: 'yes' | 'no';
};

export interface Listener {
  /** The port in use. */
  readonly port: number;
  /** Stops accepting. Open connections go on. */
  close(): Promise<void>;
  /** Stops accepting; resolves when the last connection is gone, those in their TLS handshake included. */
  retire(): Promise<void>;
}

const handshakeTimeoutMs = 20_000;

/** Listens; rejects with the system's error (EADDRINUSE, EACCES …) naming address and port. */
export async function listen(options: ListenOptions, onConnection: (socket: AnySocket) => void): Promise<Listener> {
  const server = options.tls === 'implicit' ? tlsServer(options, onConnection) : net.createServer({ noDelay: true }, onConnection);
  guardServer(server, { ...options, handshake: options.tls === 'implicit' ? options.serverTls.handshake : undefined });
  const port = await openServer(server, options);
  server.on('error', (error) => options.log.error({ err: error, at: nameOfPlace(options) }, 'listener failed'));
  return {
    port,
    close: async () => {
      server.close();
      await Promise.resolve();
    },
    retire: async () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
      }),
  };
}

/** Retires all listeners of a service. */
export async function retireAll(listeners: readonly Listener[]): Promise<void> {
  await Promise.all(listeners.map(async (listener) => listener.retire()));
}

function tlsServer(options: ListenOptions, onConnection: (socket: AnySocket) => void): tls.Server {
  const server = tls.createServer({
    ...options.serverTls.options,
    noDelay: true,
    handshakeTimeout: handshakeTimeoutMs,
    requestCert: options.requestCertificate === 'yes',
    rejectUnauthorized: false,
  });
  options.serverTls.follow?.(server);
  server.on('secureConnection', (socket) => {
    limitChain(socket, options.serverTls.maxChainDepth);
    onConnection(socket);
  });
  server.on('tlsClientError', (error, socket) => {
    options.log.debug({ err: error, peer: socket.remoteAddress, at: nameOfPlace(options) }, 'TLS handshake failed');
    socket.destroy();
  });
  return server;
}
