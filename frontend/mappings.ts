/** The mappings of a worker: one for each choice of user maps and default back-end, so that services with the same choice share a cache. */
import type { NodeConfig } from '../cluster-config/effective.ts';
import { localDomains, nodeOfMailHost } from '../cluster-config/effective.ts';
import { addressingOf } from '../cluster-config/directory-access.ts';
import { mapSelection } from '../cluster-config/proxy-maps.ts';
import type { ProxyName } from '../cluster-config/proxy-maps.ts';
import { splitHostAndPort } from '../cluster-config/values.ts';
import type { Logger } from '../shared/log/log.ts';
import type { UserMapList } from '../shared/user-map/user-maps.ts';
import { createMapping } from './mapping/mapping.ts';
import type { Mapping, MappingCounters, Route } from './mapping/mapping.ts';

export class Mappings {
  readonly #config: NodeConfig;
  readonly #maps: UserMapList;
  readonly #log: Logger;
  readonly #made = new Map<string, Mapping>();

  constructor(config: NodeConfig, maps: UserMapList, log: Logger) {
    this.#config = config;
    this.#maps = maps;
    this.#log = log;
  }

  /** That of a service; without one, that of all maps and the general default back-end. */
  of(service?: ProxyName): Mapping {
    const { maps, onMiss, defaultBackend } = mapSelection(this.#config, service);
    const names = maps.map(({ name }) => name);
    const key = JSON.stringify([names, onMiss, defaultBackend]);
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const { routing, nodes, primaryDomain } = this.#config;
    const made = createMapping({
      maps: this.#maps.only(names),
      resolveHost: (mailHost) => routeOf(nodes, mailHost),
      log: this.#log,
      primaryDomain,
      localDomains: [...localDomains(this.#config)],
      addressing: addressingOf(this.#config),
      defaultRoute: defaultBackend,
      onMiss,
      ages: { positiveMs: routing.positiveAgeSeconds * 1000, negativeMs: routing.negativeAgeSeconds * 1000, staleMs: routing.staleAgeSeconds * 1000 },
      maxEntries: routing.maxEntries,
    });
    this.#made.set(key, made);
    return made;
  }

  /** Drops what any of them has cached for an address. */
  forget(address: string): void {
    for (const mapping of this.#made.values()) mapping.forget(address);
  }

  /** Of all together. */
  get counters(): MappingCounters {
    const all = [...this.#made.values()].map(({ counters }) => counters);
    const sum = (name: keyof MappingCounters): number => all.reduce((total, counters) => total + counters[name], 0);
    return { hits: sum('hits'), misses: sum('misses'), stale: sum('stale'), questions: sum('questions') };
  }
}

/** What a `mailHost` means. */
function routeOf(nodes: NodeConfig['nodes'], mailHost: string): Route {
  const node = nodeOfMailHost(nodes, mailHost);
  if (node !== undefined) return { kind: 'node', node };
  const withPort = splitHostAndPort(mailHost);
  return { kind: 'host', host: withPort?.host ?? mailHost, port: withPort?.port };
}
