/** Opens what the configuration says of directories: connectors and the user maps on them. Both kinds of node use it. */
import { readFile } from 'node:fs/promises';
import { Failure } from '../shared/base/failure.ts';
import { createConnector } from '../shared/ldap/connector.ts';
import type { Connector } from '../shared/ldap/connector.ts';
import type { Logger } from '../shared/log/log.ts';
import { createUserMaps } from '../shared/user-map/user-maps.ts';
import type { LdapMapOptions, LocalFileMapOptions, UserMaps } from '../shared/user-map/user-maps.ts';
import type { NodeConfig } from './effective.ts';
import { readSecret } from './secret.ts';

type ConnectorParameters = NodeConfig['ldapConnectors'][number];

export interface Surroundings {
  readonly log: Logger;
  /** The process's environment variables, for secrets that are kept there. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface DirectoryAccess {
  readonly maps: UserMaps;
  close(): void;
}

/** Makes connectors (nothing is opened before the first question) and maps. @throws Failure('bad-input') for unreadable secrets and files. */
export async function openDirectoryAccess(config: NodeConfig, surroundings: Surroundings): Promise<DirectoryAccess> {
  const { log } = surroundings;
  const used = new Set(config.userMaps.flatMap((map) => (map.type === 'localFile' ? [] : [map.connector])));
  const connectors = new Map<string, { readonly connector: Connector; readonly parameters: ConnectorParameters }>();
  for (const parameters of config.ldapConnectors) {
    if (used.has(parameters.name)) connectors.set(parameters.name, { parameters, connector: await openConnector(parameters, surroundings) });
  }
  const maps = config.userMaps.map((map): LdapMapOptions | LocalFileMapOptions => {
    if (map.type === 'localFile') return { kind: 'localFile', name: map.name, path: map.file, domains: map.domains };
    const found = connectors.get(map.connector);
    if (found === undefined) throw new Failure('bad-input', `user map ${map.name} names no known connector: ${map.connector}`);
    const { attributes, searchPattern, severalMatches } = found.parameters;
    return {
      kind: map.type, name: map.name, domains: map.domains, connector: found.connector, searchPattern, onSeveral: severalMatches,
      attributes: {
        mail: attributes.address, mailLocalAddress: attributes.alias, userPassword: attributes.password,
        mailHost: attributes.host, mailRoutingAddress: attributes.routingAddress,
      },
    };
  });
  return {
    maps: createUserMaps({ maps, log }),
    close: () => {
      for (const { connector } of connectors.values()) connector.close();
    },
  };
}

async function openConnector(parameters: ConnectorParameters, { log, environment }: Surroundings): Promise<Connector> {
  const { name, uris, bindDn, bindPassword, ca } = parameters;
  return createConnector({
    name, uris, bindDn, log,
    bindPassword: bindPassword === undefined ? undefined : await readSecret(bindPassword, environment),
    startTls: parameters.startTls ? 'yes' : 'no',
    ca: ca === undefined ? undefined : await readFile(ca, 'utf8'),
    searchBase: parameters.searchBase,
    scope: parameters.searchScope,
    timeoutMs: parameters.timeoutSeconds * 1000,
    connections: parameters.connections,
  });
}
