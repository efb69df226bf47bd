/** Where a server listens: an IP address and port, a Unix socket, or a socket that the system's service manager opened and handed over. */
import { chmod, unlink } from 'node:fs/promises';
import { Socket, connect } from 'node:net';
import type { Server } from 'node:net';
import type { Door } from '../access/door.ts';
import type { Balancers } from './gate.ts';
import type { ServerTls } from './server-tls.ts';

export type ListenAddress =
  /** Port 0: any free one. An IPv6 address `::` takes IPv4 clients, too, unless `ipv6Only`. */
  | { readonly host: string; readonly port: number; readonly ipv6Only?: boolean | undefined }
  | { readonly socketFile: string; /** Access rights of the file. */ readonly mode: number }
  /** A listening TCP socket of this process. */
  | { readonly descriptor: number };

/** An address with everything that holds for its clients only. */
export type ListenPlace = ListenAddress & {
  /** Load balancers in front that speak the PROXY protocol. */
  readonly balancers?: Balancers | undefined;
  /** Rules and limits; everybody comes in when absent. */
  readonly door?: Door | undefined;
  /** Instead of the service's. */
  readonly serverTls?: ServerTls | undefined;
  /** Silence after which a session is cut, instead of the service's. */
  readonly idleTimeoutMs?: number | undefined;
};

export function nameOfPlace(place: ListenAddress): string {
  if ('socketFile' in place) return `unix:${place.socketFile}`;
  if ('descriptor' in place) return `descriptor ${String(place.descriptor)}`;
  return place.host.includes(':') ? `[${place.host}]:${String(place.port)}` : `${place.host}:${String(place.port)}`;
}

/** Opens the server there; answers the port in use (0 where there is none). Rejects with the system's error. */
export async function openServer(server: Server, place: ListenAddress): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    const done = (): void => {
      server.off('error', reject);
      resolve();
    };
    if ('socketFile' in place) server.listen({ path: place.socketFile, backlog }, done);
    // Node lets a worker listen at a descriptor of its own only by way of a socket that has it.
    else if ('descriptor' in place) server.listen(new Socket({ fd: place.descriptor, readable: false, writable: false, manualStart: true } as ConstructorParameters<typeof Socket>[0]), done);
    else server.listen({ host: place.host, port: place.port, ipv6Only: place.ipv6Only === true, backlog }, done);
  });
  if ('socketFile' in place) await chmod(place.socketFile, place.mode);
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const backlog = 1024;

/** Removes a Unix socket that a dead process left behind; one that somebody listens at stays. */
export async function removeStaleSocket(file: string): Promise<void> {
  const answer = await new Promise<string | undefined>((resolve) => {
    const probe = connect(file, () => {
      probe.destroy();
      resolve(undefined);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
  if (answer === 'ECONNREFUSED') await unlink(file);
}

/** A service's options as they are at one of its listeners. */
export function optionsAt<Options extends { readonly serverTls: ServerTls; readonly limits: { readonly idleTimeoutMs: number } }>(options: Options, place: ListenPlace): Options {
  const { serverTls = options.serverTls, idleTimeoutMs = options.limits.idleTimeoutMs } = place;
  return { ...options, serverTls, limits: { ...options.limits, idleTimeoutMs } };
}
