/** WebSocket in tests: Node's own client, and by hand where the client must misbehave. */
import * as tls from 'node:tls';

/** Makes the process's own HTTPS and WebSocket clients believe the authority of a test. */
export function trustAuthority(authority: string): void {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), authority]);
}

export interface Heard {
  readonly texts: string[];
  /** Code and reason, when it is over. */
  readonly over: Promise<CloseEvent>;
}

/** Connects with Node's client, as a page does. Rejects when the handshake is refused. */
export async function openWebSocket(url: string, headers: Readonly<Record<string, string>>): Promise<{ readonly socket: WebSocket; readonly heard: Heard }> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), { headers } as unknown as string[]);
  const texts: string[] = [];
  socket.addEventListener('message', ({ data }) => texts.push(String(data)));
  const over = new Promise<CloseEvent>((resolve) => socket.addEventListener('close', resolve));
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', (event) => reject(new Error(`refused: ${event.type}`)));
  });
  return { socket, heard: { texts, over } };
}

export const handshakeFields = 'upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

export interface RawSocket {
  readonly socket: tls.TLSSocket;
  /** All bytes so far. */
  readonly received: () => Buffer;
  until(holds: (received: Buffer) => boolean): Promise<Buffer>;
}

/** Sends a handshake and whatever comes after it as bytes. */
export async function rawHandshake(url: string, fields: string): Promise<RawSocket> {
  const { hostname, port, pathname } = new URL(url);
  const socket = tls.connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.once('secureConnect', resolve));
  socket.write(`GET ${pathname} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n${fields}\r\n`);
  const received = (): Buffer => Buffer.concat(pieces);
  return {
    socket, received,
    until: async (holds) => {
      for (const endMs = Date.now() + 60_000; Date.now() < endMs; await new Promise((resolve) => setTimeout(resolve, 20))) {
        if (holds(received())) return received();
        if (socket.destroyed) break;
      }
      if (holds(received())) return received();
      throw new Error(`not received in time; so far ${String(received().length)} bytes: ${received().subarray(0, 500).toString('latin1')}`);
    },
  };
}
