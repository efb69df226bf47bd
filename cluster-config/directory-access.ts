/** Opens what the configuration says of directories: connectors and the user maps on them. Both kinds of node use it. */
import { readFile } from 'node:fs/promises';
import { Failure } from '../shared/base/failure.ts';
import { createConnector } from '../shared/ldap/connector.ts';
import type { Connector } from '../shared/ldap/connector.ts';
import type { ConnectionOptions } from '../shared/ldap/ldap-connection.ts';
import type { LdapOperations } from '../shared/ldap/operations.ts';
import { writePassword } from '../shared/ldap/password-writer.ts';
import type { PasswordWriterOptions } from '../shared/ldap/password-writer.ts';
import { writeValue } from '../shared/ldap/value-writer.ts';
import type { WriterOptions } from '../shared/ldap/value-writer.ts';
import type { Logger } from '../shared/log/log.ts';
import { createUserMaps } from '../shared/user-map/user-maps.ts';
import type { LdapMapOptions, LocalFileMapOptions, UserEntry, UserMapList } from '../shared/user-map/user-maps.ts';
import type { ExpansionRules } from '../shared/user-map/expansion.ts';
import { candidatesOf } from '../shared/user-map/addressing.ts';
import type { Addressing } from '../shared/user-map/addressing.ts';
import { completeConnector } from './connector-parameters.ts';
import type { ConnectorParameters } from './connector-parameters.ts';
import { changeUser } from './directory-changes.ts';
import type { DirectoryChange, UserChange } from './directory-changes.ts';
import { addGroupEntry, removeGroupEntry } from './directory-groups.ts';
import type { GroupPlace, NewGroup } from './directory-groups.ts';
import { listEntries } from './directory-listing.ts';
import type { ListedEntry } from './directory-listing.ts';
import { postmastersOf } from './domain-settings.ts';
import { localDomains } from './effective.ts';
import type { NodeConfig } from './effective.ts';
import { readSecret } from './secret.ts';

export interface Surroundings {
  readonly log: Logger;
  /** The process's environment variables, for secrets that are kept there. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What came of `setHost`. */
export type HostChange =
  | { readonly kind: 'written' | 'already' }
  /** Nobody may write it from here: LDIF for `ldapmodify`, or for a local file what to change. */
  | { readonly kind: 'by-hand'; readonly ldif: string };

export interface DirectoryAccess {
  readonly maps: UserMapList;
  /** What each connector has sent since the start, by its name. */
  operations(): Readonly<Record<string, LdapOperations>>;
  /** Names the host that keeps the user's mailbox, in the place of the one that the provider has. @throws Failure('directory-unavailable') */
  setHost(entry: UserEntry, host: string): Promise<HostChange>;
  /** Changes what a user's entry says of address and use. @throws Failure('directory-unavailable'), with what the directory says against it */
  changeUser(entry: Pick<UserEntry, 'dn' | 'map'>, change: UserChange): Promise<DirectoryChange>;
  /** Makes a mailing group in the directory that has its domain. @throws Failure `bad-input`, `directory-unavailable` */
  addGroup(group: NewGroup): Promise<{ readonly dn: string; readonly change: DirectoryChange }>;
  /** Removes a group's entry. @throws Failure('directory-unavailable') */
  removeGroup(entry: Pick<UserEntry, 'dn' | 'map'>): Promise<DirectoryChange>;
  /** In words, which server takes a change of this entry's password. */
  takerOf(entry: UserEntry): string;
  /** All entries with an address that the LDAP maps can see. @throws Failure('directory-unavailable') */
  list(): Promise<readonly ListedEntry[]>;
  close(): void;
}

/** Makes connectors (nothing is opened before the first question) and maps. @throws Failure('bad-input') for unreadable secrets and files. */
export async function openDirectoryAccess(config: NodeConfig, surroundings: Surroundings): Promise<DirectoryAccess> {
  const { log } = surroundings;
  const used = new Set(config.userMaps.flatMap((map) => (map.type === 'localFile' ? [] : [map.connector])));
  const connectors = new Map<string, { readonly connector: Connector; readonly parameters: ConnectorParameters }>();
  for (const parameters of config.ldapConnectors.map(completeConnector)) {
    if (used.has(parameters.name)) connectors.set(parameters.name, { parameters, connector: await openConnector(parameters, surroundings) });
  }
  const maps = config.userMaps.map((map): LdapMapOptions | LocalFileMapOptions => {
    if (map.type === 'localFile') return { kind: 'localFile', name: map.name, path: map.file, domains: map.domains };
    const found = connectors.get(map.connector);
    if (found === undefined) throw new Failure('bad-input', `user map ${map.name} names no known connector: ${map.connector}`);
    const { attributes, groups, searchPattern, severalMatches } = found.parameters;
    return {
      kind: map.type, name: map.name, domains: map.domains, connector: found.connector, searchPattern, groups, onSeveral: severalMatches,
      writePassword: async (dn, request) => { await writePassword(await passwordWriter(found.parameters, surroundings), dn, request); },
      attributes: {
        mail: attributes.address, mailLocalAddress: attributes.alias, userPassword: attributes.password,
        mailHost: attributes.host, mailRoutingAddress: attributes.routingAddress, status: attributes.status, services: attributes.services, language: attributes.language,
        quotaBytes: attributes.quotaBytes, quotaMessages: attributes.quotaMessages,
      },
    };
  });
  const parametersOf = (entry: Pick<UserEntry, 'map'>): ConnectorParameters | undefined => {
    const map = config.userMaps.find(({ name }) => name === entry.map);
    return map === undefined || map.type === 'localFile' ? undefined : connectors.get(map.connector)?.parameters;
  };
  return {
    maps: createUserMaps({ maps, log, addressing: addressingOf(config), expansion: expansionOf(config), aliasLogins: config.allowAliasLogins ? 'yes' : 'no' }),
    operations: () => Object.fromEntries([...connectors].map(([name, { connector }]) => [name, connector.operations])),
    takerOf: (entry) => {
      const parameters = parametersOf(entry);
      return parameters === undefined ? `the user map ${entry.map}` : `${parameters.write?.uri ?? parameters.uris[0] ?? ''} (connector ${parameters.name})`;
    },
    setHost: async (entry, host) => {
      const parameters = parametersOf(entry);
      const isNamed = entry.mailHost?.trim() === host;
      if (isNamed && parameters?.write === undefined) return { kind: 'already' };
      return parameters === undefined || entry.dn === undefined
        ? { kind: 'by-hand', ldif: `# in the file of the user map ${entry.map}: ${entry.address} ${host}` }
        : setLdapHost(parameters, { dn: entry.dn, from: entry.mailHost, to: host }, surroundings);
    },
    changeUser: async ({ dn, map }, change) => {
      const parameters = parametersOf({ map });
      if (parameters === undefined || dn === undefined) return { kind: 'no-place', why: `the user map ${map} is a file, which tells hosts only` };
      return changeUser({ dn, parameters, writer: await writerOf(parameters, surroundings) }, change);
    },
    addGroup: async (group) => {
      const place = groupConnector(config, [...connectors.values()].map(({ parameters }) => parameters), group.address);
      return addGroupEntry({ ...place, writer: await writerOf(place.parameters, surroundings) }, group);
    },
    removeGroup: async ({ dn, map }) => {
      const parameters = parametersOf({ map });
      if (parameters === undefined || dn === undefined) return { kind: 'no-place', why: `the user map ${map} is a file, which has no groups` };
      return removeGroupEntry({ writer: await writerOf(parameters, surroundings) }, dn);
    },
    list: async () => {
      const lists = await Promise.all([...connectors.values()].map(async ({ connector, parameters }) => listEntries(connector, parameters, domainsOf(config, parameters.name))));
      return lists.flat();
    },
    close: () => {
      for (const { connector } of connectors.values()) connector.close();
    },
  };
}

/** The first map of the address's domain whose directory has groups. @throws Failure('bad-input') when none has */
function groupConnector({ userMaps }: NodeConfig, connectors: readonly ConnectorParameters[], address: string): Omit<GroupPlace, 'writer'> {
  const domain = address.slice(address.lastIndexOf('@') + 1);
  const asked = userMaps.filter((map) => map.type !== 'localFile' && (map.domains === undefined || map.domains.includes(domain)));
  const named = (map: NodeConfig['userMaps'][number]): string => (map.type === 'localFile' ? '' : map.connector);
  const map = asked.find((one) => connectors.some(({ name, groups }) => name === named(one) && groups !== undefined));
  const parameters = map === undefined ? undefined : connectors.find(({ name }) => name === named(map));
  if (parameters === undefined) throw new Failure('bad-input', `no directory of ${domain} has groups (ldapConnectors[].groups)`);
  const maps = userMaps.filter((one) => named(one) === parameters.name).map(({ name }) => name);
  return { parameters, isOwn: ({ dn, map: of }) => dn !== undefined && of !== undefined && maps.includes(of) };
}

/** The domains that the maps on a connector are asked for; undefined for all. */
function domainsOf({ userMaps }: NodeConfig, connector: string): readonly string[] | undefined {
  const lists = userMaps.flatMap((map) => (map.type !== 'localFile' && map.connector === connector ? [map.domains] : []));
  return lists.includes(undefined) ? undefined : lists.flatMap((list) => list ?? []).map((domain) => domain.toLowerCase());
}

/** What the configuration says of addresses that stand for others. */
export function addressingOf(config: NodeConfig): Addressing {
  const domains = new Set(localDomains(config));
  const { domainAliases, catchAll, detailSeparator } = config;
  return { domainAliases, catchAll, postmasters: postmastersOf(config), isOurs: (domain) => domains.has(domain), detailSeparator: detailSeparator === '' ? undefined : detailSeparator };
}

/** Who gets mail for an address that nobody has; undefined where the domain has no such. For addresses that no directory has. */
export function catchAllOf(config: NodeConfig): (address: string) => string | undefined {
  const addressing = addressingOf(config);
  return (address) => candidatesOf(address.toLowerCase(), addressing).find(({ via }) => via === 'catchAll')?.address;
}

function expansionOf({ expansion, forwardKeepsCopy }: NodeConfig): ExpansionRules {
  return { ...expansion, forwardKeepsCopy: forwardKeepsCopy ? 'yes' : 'no' };
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

/** How one server of the connector is reached. */
async function connectionOptions(uri: string, { startTls, ca, timeoutSeconds }: ConnectorParameters): Promise<ConnectionOptions> {
  return { uri, startTls: startTls ? 'yes' : 'no', ca: ca === undefined ? undefined : await readFile(ca, 'utf8'), timeoutMs: timeoutSeconds * 1000 };
}

async function passwordWriter(parameters: ConnectorParameters, { environment }: Surroundings): Promise<PasswordWriterOptions> {
  const { serverType, write, uris } = parameters;
  const service = write === undefined ? undefined : { dn: write.bindDn, password: await readSecret(write.bindPassword, environment) };
  return { ...await connectionOptions(write?.uri ?? uris[0] ?? '', parameters), serverType, service };
}

async function setLdapHost(
  parameters: ConnectorParameters,
  change: { readonly dn: string; readonly from: string | undefined; readonly to: string },
  surroundings: Surroundings,
): Promise<HostChange> {
  const { attributes } = parameters;
  const { dn, from, to } = change;
  const writer = await writerOf(parameters, surroundings);
  if (writer === undefined) {
    const removal = from === undefined ? '' : `delete: ${attributes.host}\n${attributes.host}: ${from}\n-\n`;
    return { kind: 'by-hand', ldif: `dn: ${dn}\nchangetype: modify\n${removal}add: ${attributes.host}\n${attributes.host}: ${to}\n` };
  }
  // What a replica said may be old: the provider is asked even if nothing seems to be left to do.
  return { kind: await writeValue(writer, { dn, attribute: attributes.host, to }) };
}

/** Undefined where the connector names nobody who may write. */
async function writerOf(parameters: ConnectorParameters, { environment }: Surroundings): Promise<WriterOptions | undefined> {
  const { write } = parameters;
  if (write === undefined) return undefined;
  return { ...await connectionOptions(write.uri, parameters), bindDn: write.bindDn, bindPassword: await readSecret(write.bindPassword, environment) };
}
