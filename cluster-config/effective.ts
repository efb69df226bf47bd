/** The effective configuration of one node: what its processes are started with. */
import { dirname, resolve } from 'node:path';
import type { Parameters, Role } from './schema.ts';
import { splitHostAndPort } from './values.ts';

/** Where a node's trusted listeners are reached by other nodes; absent where it has none. */
export interface Endpoints {
  readonly lmtp?: number;
  readonly submission?: number;
  readonly imap?: number;
  readonly pop3?: number;
  readonly webmail?: number;
  readonly admin?: number;
}

/** A node as the other nodes know it. */
export interface NodeEntry {
  readonly name: string;
  readonly role: Role;
  /** The name or address under which other nodes reach it. */
  readonly host: string;
  /** Ports of its trusted listeners at `host`. */
  readonly endpoints: Endpoints;
}

/** All parameters of one node with defaults filled in and file names absolute, and what it must know of the cluster. */
export interface NodeConfig extends Parameters {
  readonly clusterName: string;
  readonly nodeName: string;
  readonly role: Role;
  readonly host: string;
  /** The node's own name in greetings: always given here. */
  readonly serverName: string;
  /** All nodes of the cluster, this one included, by name. */
  readonly nodes: Readonly<Record<string, NodeEntry>>;
  /** A digest of the document: equal texts, equal versions. */
  readonly version: string;
}

/** The domains whose mail is ours: the primary one first, those that are another name of one of ours included; not those that were deleted. */
export function localDomains(config: Pick<Parameters, 'primaryDomain' | 'domains' | 'domainAliases' | 'domainSettings'>): readonly string[] {
  const isDeleted = (domain: string): boolean => config.domainSettings[domain]?.status === 'deleted';
  return [...new Set([config.primaryDomain, ...config.domains, ...Object.keys(config.domainAliases)])].filter((domain) => !isDeleted(domain) && !isDeleted(config.domainAliases[domain] ?? ''));
}

/**
 * The name of the configured node that a `mailHost` value means: a node's name, its host, or host and port of one of its
 * endpoints. Undefined for other hosts, and where several nodes share the host and no port tells them apart.
 */
export function nodeOfMailHost(nodes: Readonly<Record<string, NodeEntry>>, mailHost: string | undefined): string | undefined {
  const wanted = mailHost?.trim().toLowerCase();
  if (wanted === undefined || wanted === '') return undefined;
  if (Object.hasOwn(nodes, wanted)) return wanted;
  const withPort = splitHostAndPort(wanted);
  const backends = Object.values(nodes).filter((node) => node.role === 'backend');
  const found = backends.filter((node) => {
    if (withPort === undefined) return node.host.toLowerCase() === wanted;
    return node.host.toLowerCase() === withPort.host && Object.values(node.endpoints).includes(withPort.port);
  });
  return found.length === 1 ? found[0]?.name : undefined;
}

/** The ports of a node's trusted listeners; admin listeners are always for nodes. */
export function endpointsOf(services: Parameters['services']): Endpoints {
  const trusted = <Listener extends { readonly address: string; readonly enable: boolean; readonly trusted: boolean }>(listeners: readonly Listener[], also: (listener: Listener) => boolean = () => true): number | undefined =>
    firstPort(listeners.filter((listener) => listener.trusted && also(listener)));
  const { smtpReceiving, imap, pop3, webmail, admin } = services;
  return withoutUndefined({
    lmtp: trusted(smtpReceiving.listeners, (listener) => listener.kind === 'lmtp'),
    submission: trusted(smtpReceiving.listeners, (listener) => listener.kind === 'submission'),
    imap: trusted(imap.listeners),
    pop3: trusted(pop3.listeners),
    webmail: trusted(webmail.listeners),
    admin: firstPort(admin.listeners),
  });
}

/** Of those that other nodes can reach, the first. */
function firstPort(listeners: readonly { readonly address: string; readonly enable: boolean }[]): number | undefined {
  return listeners.map(({ address, enable }) => (enable ? splitHostAndPort(address)?.port : undefined)).find((port) => port !== undefined);
}

function withoutUndefined(ports: Readonly<Record<keyof Endpoints, number | undefined>>): Endpoints {
  return Object.fromEntries(Object.entries(ports).filter(([, port]) => port !== undefined));
}

/** Makes file names of a configuration file absolute. */
export function relativeTo(configFile: string): (name: string) => string {
  const folder = dirname(resolve(configFile));
  return (name) => resolve(folder, name);
}
