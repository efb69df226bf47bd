/**
 * The gate in front of a server of any kind (TCP, TLS, HTTP, HTTPS): takes the PROXY header from load balancers, and lets in
 * whom rules and limits admit, before the first byte reaches TLS or the protocol.
 */
import type { Server, Socket } from 'node:net';
import * as tls from 'node:tls';
import type { Admission, Door, Refusal } from '../access/door.ts';
import { networkContains } from '../access/network.ts';
import type { Network } from '../access/network.ts';
import type { Logger } from '../log/log.ts';
import { plainAddress } from './plain-address.ts';
import { parseProxyHeader } from './proxy-protocol.ts';
import type { ProxiedClient } from './proxy-protocol.ts';
import { RefusedClients } from './refused-client.ts';
import type { SpokenProtocol } from './refused-client.ts';
import type { HandshakeOptions } from './server-tls.ts';
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
  /** Rules and limits; everybody comes in when absent. */
  readonly door?: Door | undefined;
  /** In what words clients are refused. */
  readonly protocol: SpokenProtocol;
  /** How TLS begins for those who are refused, where it comes first. */
  readonly handshake?: HandshakeOptions | undefined;
  readonly log: Logger;
}

/** From the connection to the last byte of the header. Balancers send it at once. */
const headerTimeoutMs = 5000;

/** Who comes by a Unix socket is on this machine. */
const onThisMachine: ProxiedClient = { address: '127.0.0.1', port: 0, overTls: 'no' };

/** Puts the gate before a server's own handling of connections. Call it before the server listens. */
export function guardServer(server: Server, options: GateOptions): void {
  const gate = new Gate(options);
  const admit = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    gate.pass(socket).then(
      (passed) => {
        if (passed === 'admitted') for (const listener of admit) listener.call(server, socket);
      },
      (error: unknown) => {
        options.log.error({ err: error }, 'connection failed at the gate');
        socket.destroy();
      },
    );
  });
  // A TLS server makes a socket of its own around the one that passed.
  if (server instanceof tls.Server) server.prependListener('secureConnection', (socket) => gate.recognise(socket));
}

class Gate {
  readonly #options: GateOptions;
  readonly #proxied = new WeakMap<object, ProxiedClient>();
  readonly #refused: RefusedClients;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#refused = new RefusedClients(options.protocol, options.handshake);
  }

  /** Deals with those it does not let in. */
  async pass(socket: Socket): Promise<'admitted' | 'dismissed'> {
    const { balancers } = this.#options;
    if (socket.remoteAddress === undefined && socket.remoteFamily === undefined && !socket.destroyed) this.#assume(socket, onThisMachine);
    const peer = plainAddress(socket.remoteAddress ?? '');
    if (balancers?.networks.some((network) => networkContains(network, peer)) === true && (await this.#takeHeader(socket)) === 'refused') {
      socket.destroy();
      return 'dismissed';
    }
    return await this.#ask(socket);
  }

  /** Tells a TLS socket whose it is, if its connection was passed on. */
  recognise(socket: tls.TLSSocket): void {
    const below: unknown = Reflect.get(socket, '_parent'); // the socket that passed; Node names it nowhere else
    const client = typeof below === 'object' && below !== null ? this.#proxied.get(below) : undefined;
    if (client !== undefined) assumeClient(socket, client, this.#options.balancers?.trustTls ?? 'no');
  }

  #assume(socket: Socket, client: ProxiedClient): void {
    this.#proxied.set(socket, client);
    assumeClient(socket, client, this.#options.balancers?.trustTls ?? 'no');
  }

  async #takeHeader(socket: Socket): Promise<'admitted' | 'refused'> {
    const balancer = plainAddress(socket.remoteAddress ?? '');
    const answer = await readHeader(socket);
    if (answer.kind === 'refused') {
      this.#options.log.warn({ balancer, reason: answer.reason }, 'connection of a load balancer closed: no good PROXY header');
      return 'refused';
    }
    if (answer.client !== undefined) this.#assume(socket, answer.client);
    return 'admitted';
  }

  async #ask(socket: Socket): Promise<'admitted' | 'dismissed'> {
    const { door, log } = this.#options;
    if (door === undefined) return 'admitted';
    const client = plainAddress(socket.remoteAddress ?? '');
    socket.on('error', ignore);
    const admission: Admission = await door.admit(client);
    if (admission.kind === 'refused') {
      log.warn({ client, ...wordsOfLog(admission.refusal) }, admission.refusal.kind === 'denied' ? 'connection refused by a rule' : 'connection refused: too many');
      this.#refused.dismiss(socket, admission.refusal);
      return 'dismissed';
    }
    socket.off('error', ignore);
    if (!socket.destroyed) {
      socket.on('close', admission.leave);
      return 'admitted';
    }
    admission.leave();
    return 'dismissed';
  }
}

function wordsOfLog(refusal: Refusal): object {
  return refusal.kind === 'denied' ? { rule: refusal.by } : { limit: refusal.kind, of: refusal.of };
}

/** Who waits to be admitted may hang up. */
function ignore(): void {
  // Its end is seen afterwards.
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
