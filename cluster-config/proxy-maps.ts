/** Which user maps a proxy asks, and where its misses go: what it says itself, else what holds for all. */
import { isIPv6 } from 'node:net';
import { nodeOfMailHost } from './effective.ts';
import type { NodeConfig } from './effective.ts';
import type { Problem } from './problem.ts';
import type { Parameters } from './schema.ts';

export type ProxyName = 'smtpProxy' | 'imapProxy' | 'pop3Proxy' | 'webmailProxy';
export const proxyNames = ['smtpProxy', 'imapProxy', 'pop3Proxy', 'webmailProxy'] as const satisfies readonly ProxyName[];

/** What a service's mapping is made of. */
export interface MapSelection {
  /** In the order in which they are asked. */
  readonly maps: NodeConfig['userMaps'];
  readonly onMiss: 'refuse' | 'default';
  readonly defaultBackend: DefaultBackend | undefined;
}

export type DefaultBackend =
  | { readonly kind: 'node'; readonly node: string }
  | { readonly kind: 'host'; readonly host: string; readonly port: number | undefined };

/** The maps and the default back-end of a service; those of `routing` where it is undefined. */
export function mapSelection(config: NodeConfig, service?: ProxyName): MapSelection {
  const own = service === undefined ? {} : mappingOf(config, service);
  const maps = own.userMaps?.map((name) => config.userMaps.find((map) => map.name === name)).filter((map) => map !== undefined) ?? config.userMaps;
  return {
    maps,
    // Without any map the default back-end is where everybody lives.
    onMiss: maps.length === 0 ? 'default' : own.onMiss ?? config.routing.onMiss,
    defaultBackend: defaultBackend(config.nodes, own.mappingHost ?? config.routing.mappingHost, own.mappingPort),
  };
}

interface OwnMapping {
  readonly userMaps?: readonly string[] | undefined;
  readonly mappingHost?: string | undefined;
  readonly mappingPort?: number | undefined;
  readonly onMiss?: 'refuse' | 'default' | undefined;
}

function mappingOf({ services }: Pick<Parameters, 'services'>, service: ProxyName): OwnMapping {
  return services[service];
}

function defaultBackend(nodes: NodeConfig['nodes'], name: string | undefined, at: number | undefined): DefaultBackend | undefined {
  if (name === undefined) return undefined;
  const node = nodeOfMailHost(nodes, name) ?? (at === undefined ? undefined : nodeOfMailHost(nodes, `${isIPv6(name) ? `[${name}]` : name}:${String(at)}`));
  return node === undefined ? { kind: 'host', host: name, port: at } : { kind: 'node', node };
}

/** Names of maps that nobody has, and misses that have nowhere to go. */
export function checkProxyMaps(parameters: Parameters): readonly Problem[] {
  const known = parameters.userMaps.map(({ name }) => name);
  return proxyNames.flatMap((service): readonly Problem[] => {
    const { userMaps = [], onMiss: ownMiss, mappingHost } = mappingOf(parameters, service);
    const unknown = userMaps.flatMap((name, index): readonly Problem[] =>
      (known.includes(name) ? [] : [{ path: ['services', service, 'userMaps', index], text: `no user map is named "${name}" (${known.length === 0 ? 'there is none' : `there are: ${known.join(', ')}`})` }]));
    const nowhere: Problem[] = ownMiss === 'default' && (mappingHost ?? parameters.routing.mappingHost) === undefined
      ? [{ path: ['services', service, 'onMiss'], text: '"default" needs mappingHost here or in routing' }]
      : [];
    return [...unknown, ...nowhere];
  });
}
