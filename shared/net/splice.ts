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
  const before = { ofClient: client.bytesRead, ofServer: server.bytesRead };
  if (client.destroyed || server.destroyed) {
    // One left while the login was still on its way: its 'close' has been, and nothing else would end the other.
    client.destroySoon();
    server.destroySoon();
  } else {
    pass(client, server);
    pass(server, client);
    // All bytes of both directions come or go through this socket, and each of them starts its clock anew.
    client.setTimeout(options.idleTimeoutMs, () => {
      client.destroy();
      server.destroy();
    });
  }
  await Promise.all([gone(client), gone(server)]);
  return { bytesToServer: client.bytesRead - before.ofClient, bytesToClient: server.bytesRead - before.ofServer };
}

/** Passes on what `from` sends, as fast as `to` takes it. By plain handlers: `pipe` costs more, in time and for each session in memory. */
function pass(from: AnySocket, to: AnySocket): void {
  from.on('data', (bytes: Buffer) => {
    if (!to.write(bytes)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
  from.on('error', () => to.destroySoon());
  // What the closed side had sent still reaches the other.
  from.on('close', () => to.destroySoon());
  from.resume();
}

async function gone(socket: AnySocket): Promise<void> {
  if (socket.destroyed) return;
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
}
