/** Where the trusted listeners of the back-ends are, by node and protocol, and what address of this machine leads there. */
import type { NodeConfig } from '../cluster-config/effective.ts';
import type { NodeTls } from '../cluster-config/node-tls.ts';
import type { ProxyName } from '../cluster-config/proxy-maps.ts';
import type { BackendTarget } from './login/login.ts';
import type { Route } from './mapping/mapping.ts';

export type Endpoint = 'lmtp' | 'submission' | 'imap' | 'pop3' | 'webmail';

const proxyOf: Readonly<Record<Endpoint, ProxyName>> = { lmtp: 'smtpProxy', submission: 'smtpProxy', imap: 'imapProxy', pop3: 'pop3Proxy', webmail: 'webmailProxy' };

export class Targets {
  readonly #config: NodeConfig;
  readonly #tls: NodeTls;

  constructor(config: NodeConfig, tls: NodeTls) {
    this.#config = config;
    this.#tls = tls;
  }

  /** Undefined for a node that is not configured, or has no such listener. */
  of(node: string, endpoint: Endpoint): BackendTarget | undefined {
    const { nodes, services } = this.#config;
    const entry = Object.hasOwn(nodes, node) ? nodes[node] : undefined;
    const port = entry?.endpoints[endpoint];
    if (entry?.role !== 'backend' || port === undefined) return undefined;
    return { node, host: entry.host, port, tls: this.#tls.toNode(node), localAddress: services[proxyOf[endpoint]].localInterface };
  }

  ofRoute(route: Route, endpoint: Endpoint): BackendTarget | undefined {
    return route.kind === 'node' ? this.of(route.node, endpoint) : undefined;
  }

  all(endpoint: Endpoint): BackendTarget[] {
    return Object.keys(this.#config.nodes).map((node) => this.of(node, endpoint)).filter((target) => target !== undefined);
  }
}
