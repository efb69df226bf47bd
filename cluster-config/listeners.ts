/** Listeners as the services want them: address, load balancers, rules and limits, TLS. */
import type { ConnectionCounts } from '../shared/access/connection-counts.ts';
import { Door } from '../shared/access/door.ts';
import { parseIpSet } from '../shared/access/ip-set.ts';
import { parseNetwork } from '../shared/access/network.ts';
import type { RuleLevels, RuleSet } from '../shared/access/rules.ts';
import { Failure } from '../shared/base/failure.ts';
import type { Balancers } from '../shared/net/gate.ts';
import type { ListenAddress, ListenPlace } from '../shared/net/listen-place.ts';
import type { ServerTls } from '../shared/net/server-tls.ts';
import type { CommandSlots } from '../shared/workers/command-slots.ts';
import type { NodeConfig } from './effective.ts';
import type { WorkingService } from './threads.ts';
import { splitHostAndPort } from './values.ts';

/** What a node's listeners stand on. */
export interface Doors {
  readonly counts: ConnectionCounts;
  /** Where the commands of services work. */
  readonly slots: Readonly<Record<WorkingService, CommandSlots>>;
  /** Sockets that systemd handed over: descriptors of this process by their names. */
  readonly sockets: ReadonlyMap<string, number>;
}

type Services = NodeConfig['services'];
export type ListeningService = { [Name in keyof Services]: Services[Name] extends { readonly listeners: readonly unknown[] } ? Name : never }[keyof Services];

type AnyListener = Services[ListeningService]['listeners'][number];

/** Where a listener of a service listens, for whom, and how many. @throws Failure('bad-input') for a socket that systemd did not hand over */
export function placeOf(ground: { readonly config: NodeConfig; readonly doors: Doors }, service: ListeningService, listener: AnyListener): ListenPlace {
  const { config, doors } = ground;
  const idleSeconds = 'idleTimeoutSeconds' in listener ? listener.idleTimeoutSeconds : undefined;
  return {
    ...addressOf(listener, doors.sockets),
    balancers: balancersOf(config, { ...listener, forNodes: service === 'admin' || isTrusted(listener) }),
    door: doorOf(ground, service, listener),
    idleTimeoutMs: idleSeconds === undefined ? undefined : idleSeconds * 1000,
  };
}

/** The service's TLS with what the listener has of its own; undefined where that is nothing. @throws Failure('bad-input') for ciphers that OpenSSL doesn't know */
export function tlsOf(listener: AnyListener, serverTls: ServerTls): ServerTls | undefined {
  if (!('tls' in listener)) return undefined; // the admin API's
  const asks = 'requestClientCertificate' in listener ? listener.requestClientCertificate : undefined;
  const maxChainDepth = 'maxChainDepth' in listener ? listener.maxChainDepth : undefined;
  const own = { minVersion: listener.minTlsVersion, ciphers: listener.ciphers, requestCertificate: asks === false ? 'no' : undefined, maxChainDepth } as const;
  if (Object.values(own).every((value) => value === undefined)) return undefined;
  try {
    return serverTls.varied(own);
  } catch (cause) {
    throw new Failure('bad-input', `TLS of listener ${listener.address}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function isTrusted(listener: AnyListener): boolean {
  return 'trusted' in listener && listener.trusted;
}

function addressOf({ address, ipv6Only, mode }: AnyListener, sockets: ReadonlyMap<string, number>): ListenAddress {
  if (address.startsWith('unix:')) return { socketFile: address.slice('unix:'.length), mode: Number.parseInt(mode, 8) };
  if (address.startsWith('systemd:')) {
    const descriptor = sockets.get(address.slice('systemd:'.length));
    if (descriptor === undefined) throw new Failure('bad-input', `${address}: systemd handed over no socket of this name (${sockets.size === 0 ? 'none at all' : [...sockets.keys()].join(', ')})`);
    return { descriptor };
  }
  const parts = splitHostAndPort(address);
  if (parts === undefined) throw new Failure('bad-input', `${address} is not IP:PORT`);
  return { ...parts, ipv6Only };
}

/** Nodes reach each other without a balancer: the general list does not hold for their listeners. */
export function balancersOf(
  config: Pick<NodeConfig, 'proxyProtocolFrom' | 'trustProxyTls'>,
  listener: { readonly forNodes: boolean; readonly proxyProtocolFrom?: readonly string[] | undefined },
): Balancers | undefined {
  const networks = (listener.proxyProtocolFrom ?? (listener.forNodes ? [] : config.proxyProtocolFrom)).map(parseNetwork);
  return networks.length === 0 ? undefined : { networks, trustTls: config.trustProxyTls ? 'yes' : 'no' };
}

/** Where one peer is a front-end with many users, the service's rules and its limits for each peer are not asked. */
function doorOf({ config, doors }: { readonly config: NodeConfig; readonly doors: Doors }, name: ListeningService, listener: AnyListener): Door {
  const service = config.services[name];
  const trusted = isTrusted(listener);
  const { maxConnections, timeInterval, maxIntervalConnections } = service;
  const none: RuleSet = { allow: [], deny: [] };
  const rules: RuleLevels = { listener: rulesOf(listener), serviceRule: listener.serviceRule, service: trusted ? none : rulesOf(service), global: trusted ? none : rulesOf(config.access) };
  return new Door({
    listener: listener.address, service: name, rules,
    counts: doors.counts,
    limits: { listener, service: trusted ? { maxConnections, timeInterval, maxIntervalConnections } : service },
    ipv6Prefix: config.guessing.ipv6PrefixBits,
  });
}

function rulesOf({ allowRules, denyRules }: Pick<NodeConfig['access'], 'allowRules' | 'denyRules'>): RuleSet {
  return {
    allow: allowRules.map((rule) => ({ name: rule.ipSet, ipSet: parseIpSet(rule.ipSet), enable: rule.enable, priority: rule.priority, limits: rule })),
    deny: denyRules.map((rule) => ({ name: rule.ipSet, ipSet: parseIpSet(rule.ipSet), enable: rule.enable, priority: rule.priority })),
  };
}

/** Where the node's admin API listens; nowhere when it is switched off. */
export function adminListeners(ground: { readonly config: NodeConfig; readonly doors: Doors }): ListenPlace[] {
  const { admin } = ground.config.services;
  return admin.enable ? enabled(admin.listeners).map((listener) => placeOf(ground, 'admin', listener)) : [];
}

/** Those that are not switched off. */
export function enabled<Listener extends { readonly enable: boolean }>(listeners: readonly Listener[]): readonly Listener[] {
  return listeners.filter(({ enable }) => enable);
}

/** Those that are addresses of the network, where another program may listen. */
export function tcpPlaces(listeners: readonly { readonly address: string }[]): readonly { readonly host: string; readonly port: number }[] {
  return listeners.flatMap(({ address }) => splitHostAndPort(address) ?? []);
}

/** The files of all Unix sockets that a node may listen at. */
export function unixSocketFiles({ services }: Pick<NodeConfig, 'services'>): readonly string[] {
  const all = Object.values(services).flatMap((service): readonly AnyListener[] => ('listeners' in service ? service.listeners : []));
  return enabled(all).flatMap(({ address }) => (address.startsWith('unix:') ? [address.slice('unix:'.length)] : []));
}
