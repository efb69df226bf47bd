/** Connections to the back-ends: kept for the next request and bounded, or one for each stream. TLS sessions are resumed. */
import { Agent } from 'node:https';
import type { AgentOptions } from 'node:https';
import type { ConnectionOptions } from 'node:tls';

/** Where a back-end's trusted WebMail listener is. */
export interface BackendTarget {
  readonly node: string;
  readonly host: string;
  readonly port: number;
  /** This node's certificate and key, the cluster CA, the name to verify. */
  readonly tls: ConnectionOptions;
  /** Where connections come from; the operating system chooses when undefined. */
  readonly localAddress?: string | undefined;
}

/** How long a connection without a request is kept: far less than a back-end keeps it, so that it is rarely closed under a request. */
const freeConnectionMs = 30_000;
const freeConnections = 32;

export class Pools {
  readonly #connectionsPerBackend: number;
  readonly #agents = new Map<string, Agent>();

  /** @param connectionsPerBackend for requests, streams not counted */
  constructor(connectionsPerBackend: number) {
    this.#connectionsPerBackend = connectionsPerBackend;
  }

  /** For requests that are answered and over. */
  forRequests(target: BackendTarget): Agent {
    return this.#agent('requests', target, { keepAlive: true, maxSockets: this.#connectionsPerBackend, maxFreeSockets: freeConnections, timeout: freeConnectionMs, scheduling: 'lifo' });
  }

  /** For streams that stay for minutes. */
  forStreams(target: BackendTarget): Agent {
    return this.#agent('streams', target, { keepAlive: false });
  }

  /** Closes connections that are kept for later. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }

  /**
   * With the certificate of its first use. The name is fixed (none, unless the target has one): http-proxy would take it from
   * the client's Host field, and keep connections by it.
   */
  #agent(purpose: string, { node, host, port, tls, localAddress }: BackendTarget, options: AgentOptions): Agent {
    const key = `${purpose} ${node} ${host}:${String(port)}`;
    const agent = this.#agents.get(key) ?? new Agent({ servername: '', ...tls, ...(localAddress === undefined ? {} : { localAddress }), ...options });
    this.#agents.set(key, agent);
    return agent;
  }
}
