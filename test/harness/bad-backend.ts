/** A server in the place of a back-end that misbehaves in a chosen way, over real TLS with the certificate of a node. */
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import * as tls from 'node:tls';

export interface BadBackendOptions {
  readonly port: number;
  /** PEM files. */
  readonly certificate: string;
  readonly key: string;
  /** What happens to a connection after its handshake. */
  readonly behave: (socket: tls.TLSSocket) => void;
}

export interface BadBackend {
  /** Connections so far that got through their handshake. */
  readonly connections: number;
  stop(): Promise<void>;
}

export async function startBadBackend(options: BadBackendOptions): Promise<BadBackend> {
  const open = new Set<Socket>();
  let connections = 0;
  const server = tls.createServer({ cert: readFileSync(options.certificate), key: readFileSync(options.key), requestCert: true, rejectUnauthorized: false }, (socket) => {
    connections += 1;
    socket.on('error', () => socket.destroy());
    options.behave(socket);
  });
  server.on('connection', (socket: Socket) => { // those whose handshake is under way, too: nobody would end them later
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  return {
    get connections() {
      return connections;
    },
    stop: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Says the words when so many lines have come; lines may come all at once. */
export function sayAfter(socket: tls.TLSSocket, lines: number, then: () => void): void {
  let seen = 0;
  socket.on('data', (chunk: Buffer) => {
    const before = seen;
    seen += chunk.filter((byte) => byte === 0x0a).length;
    if (before < lines && seen >= lines) then();
  });
}
