/**
 * The gate in front of a server of any kind (TCP, TLS, HTTP, HTTPS): takes the PROXY header from load balancers and counts
 * connections by client address, before the first byte reaches TLS or the protocol.
 */
import type { Server, Socket } from 'node:net';
import * as tls from 'node:tls';
import { AddressLimit } from '../access/address-limit.ts';
import type { AddressLimitOptions } from '../access/address-limit.ts';
import { networkContains } from '../access/network.ts';
import type { Network } from '../access/network.ts';
import type { Logger } from '../log/log.ts';
import { plainAddress } from './connection.ts';
import { parseProxyHeader } from './proxy-protocol.ts';
import type { ProxiedClient } from './proxy-protocol.ts';
import { assumeClient } from './socket-client.ts';

/** The load balancers in front of a listener. */
export interface Balancers {
  /** Where they connect from. Who comes from there must send a PROXY header; who doesn't is never asked for one. */
  readonly networks: readonly Network[];
  /** Whether their word that the client spoke TLS with them counts as TLS. */
  readonly trustTls: 'yes' | 'no';
}

export interface GateOptions {
  readonly balancers?: Balancers | undefined;
  /** Connections open at once from one client address; no limit when absent. */
  readonly perAddress?: AddressLimitOptions | undefined;
  readonly log: Logger;
}

/** From the connection to the last byte of the header. Balancers send it at once. */
const headerTimeoutMs = 5000;

/** Puts the gate before a server's own handling of connections. Call it before the server listens. */
export function guardServer(server: Server, options: GateOptions, place: { readonly host: string; readonly port: number }): void {
  if (options.balancers === undefined && options.perAddress === undefined) return;
  const gate = new Gate(options, `${place.host} ${String(place.port)}`);
  const admit = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    gate.pass(socket).then(
      (verdict) => {
        if (verdict === 'admitted') for (const listener of admit) listener.call(server, socket);
        else socket.destroy();
      },
      (error: unknown) => {
        options.log.error({ err: error }, 'connection failed at the gate');
        socket.destroy();
      },
    );
  });
  // A TLS server makes a socket of its own, known again by the real other end, which it shares with the one below.
  if (server instanceof tls.Server) server.prependListener('secureConnection', (socket) => gate.recognise(socket));
}

class Gate {
  readonly #options: GateOptions;
  readonly #proxied = new Map<string, ProxiedClient>();
  readonly #limit: AddressLimit | undefined;

  constructor(options: GateOptions, place: string) {
    this.#options = options;
    this.#limit = options.perAddress === undefined ? undefined : new AddressLimit(options.perAddress, place);
  }

  async pass(socket: Socket): Promise<'admitted' | 'refused'> {
    const { balancers } = this.#options;
    const peer = plainAddress(socket.remoteAddress ?? '');
    if (balancers?.networks.some((network) => networkContains(network, peer)) === true && (await this.#takeHeader(socket, balancers)) === 'refused') return 'refused';
    return await this.#count(socket);
  }

  /** Tells a TLS socket whose it is, if its connection was passed on. */
  recognise(socket: tls.TLSSocket): void {
    const client = this.#proxied.get(otherEnd(socket));
    const { balancers } = this.#options;
    if (client !== undefined && balancers !== undefined) assumeClient(socket, client, balancers.trustTls);
  }

  async #takeHeader(socket: Socket, balancers: Balancers): Promise<'admitted' | 'refused'> {
    const end = otherEnd(socket);
    const answer = await readHeader(socket);
    if (answer.kind === 'refused') {
      this.#options.log.warn({ balancer: plainAddress(socket.remoteAddress ?? end), reason: answer.reason }, 'connection of a load balancer closed: no good PROXY header');
      return 'refused';
    }
    if (answer.client !== undefined) {
      this.#proxied.set(end, answer.client);
      socket.once('close', () => this.#proxied.delete(end));
      assumeClient(socket, answer.client, balancers.trustTls);
    }
    return 'admitted';
  }

  async #count(socket: Socket): Promise<'admitted' | 'refused'> {
    if (this.#limit === undefined) return 'admitted';
    const limit = this.#limit;
    const client = plainAddress(socket.remoteAddress ?? '');
    socket.on('error', ignore);
    const verdict = await limit.enter(client);
    socket.off('error', ignore);
    if (verdict === 'refused') {
      this.#options.log.warn({ client }, 'connection refused: too many from one address');
      return 'refused';
    }
    if (!socket.destroyed) {
      socket.on('close', () => limit.leave(client));
      return 'admitted';
    }
    limit.leave(client);
    return 'refused';
  }
}

/** Who waits to be admitted may hang up. */
function ignore(): void {
  // Its end is seen afterwards.
}

function otherEnd(socket: Socket): string {
  return `${socket.remoteAddress ?? ''} ${String(socket.remotePort)}`;
}

type Taken = { readonly kind: 'taken'; readonly client: ProxiedClient | undefined } | { readonly kind: 'refused'; readonly reason: string };

/** Takes the header off the stream; what follows it stays there. */
async function readHeader(socket: Socket): Promise<Taken> {
  return new Promise((resolve) => {
    let received: Buffer = Buffer.alloc(0);
    const finish = (taken: Taken): void => {
      clearTimeout(timer);
      socket.off('readable', onReadable);
      socket.off('close', onClose);
      socket.off('error', onError);
      resolve(taken);
    };
    const refuse = (reason: string): void => finish({ kind: 'refused', reason });
    const timer = setTimeout(() => refuse(`none within ${String(headerTimeoutMs)} ms`), headerTimeoutMs);
    const onClose = (): void => refuse('connection closed');
    const onError = (error: Error): void => refuse(error.message);
    const onReadable = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) {
        if (socket.readableEnded || socket.destroyed) onClose();
        return;
      }
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const header = parseProxyHeader(received);
      if (header.kind === 'incomplete') return;
      if (header.kind === 'malformed') {
        refuse(header.reason);
        return;
      }
      const client = header.kind === 'client' ? header.client : undefined;
      if (header.length < received.length) socket.unshift(received.subarray(header.length));
      finish({ kind: 'taken', client });
    };
    socket.on('readable', onReadable);
    socket.once('close', onClose);
    socket.once('error', onError);
  });
}
