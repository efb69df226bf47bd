/** Joins two sockets after a proxied login: bytes flow both ways with backpressure until either side is done. */
import type { AnySocket } from './connection.ts';

export interface SpliceResult {
  readonly bytesToServer: number;
  readonly bytesToClient: number;
}

/**
 * Copies both ways until both sockets are closed. The end of one side's stream is passed on; an error, or silence in
 * both directions for `idleTimeoutMs`, cuts both.
 */
export async function splice(client: AnySocket, server: AnySocket, options: { readonly idleTimeoutMs: number }): Promise<SpliceResult> {
  const cut = (): void => {
    client.destroy();
    server.destroy();
  };
  let lastActivityMs = Date.now();
  const count = (from: AnySocket): (() => number) => {
    const before = from.bytesRead;
    return () => from.bytesRead - before;
  };
  const toServer = count(client);
  const toClient = count(server);
  for (const socket of [client, server]) {
    const other = socket === client ? server : client;
    socket.on('error', () => other.destroySoon());
    socket.on('data', () => {
      lastActivityMs = Date.now();
    });
    // What the closed side had sent still reaches the other.
    socket.on('close', () => other.destroySoon());
  }
  const watch = setInterval(() => {
    if (Date.now() - lastActivityMs > options.idleTimeoutMs) cut();
  }, Math.min(options.idleTimeoutMs, 30_000)).unref();
  if (client.destroyed || server.destroyed) {
    // One left while the login was still on its way: its 'close' has been, and nothing else would end the other.
    client.destroySoon();
    server.destroySoon();
  } else {
    client.pipe(server);
    server.pipe(client);
  }
  await Promise.all([gone(client), gone(server)]);
  clearInterval(watch);
  return { bytesToServer: toServer(), bytesToClient: toClient() };
}

async function gone(socket: AnySocket): Promise<void> {
  if (socket.destroyed) return;
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
}
