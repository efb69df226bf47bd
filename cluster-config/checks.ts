/** What must hold between parameters of one node, and between nodes, beyond the shape of each. */
import { checkAdministration } from './administration.ts';
import type { Problem } from './problem.ts';
import { checkProxyMaps } from './proxy-maps.ts';
import { servicesOfRole } from './schema.ts';
import type { Parameters, Role } from './schema.ts';
import { splitHostAndPort } from './values.ts';
import { checkRules } from './rule-checks.ts';

/** Problems between the parameters of one node; their paths are parameters'. */
export function checkNode(parameters: Parameters, role: Role): readonly Problem[] {
  return [...checkNames(parameters), ...checkProxyMaps(parameters), ...checkAdministration(parameters), ...checkTls(parameters, role), ...checkStorage(parameters, role), ...checkListeners(parameters, role), ...checkLog(parameters), ...checkRules(parameters), ...checkPop3(parameters)];
}

/** By \Seen it is known what was retrieved in earlier sessions. */
function checkPop3({ services: { pop3 } }: Parameters): readonly Problem[] {
  const never = pop3.expireDays === undefined || pop3.expireDays === 0;
  return pop3.retrievedIsSeen || never ? [] : [{ path: ['services', 'pop3', 'expireDays'], text: 'needs services.pop3.retrievedIsSeen' }];
}

function checkLog({ log }: Parameters): readonly Problem[] {
  const isRemote = log.type === 'remote' || Object.values(log.services).some(({ type }) => type === 'remote');
  return isRemote && log.remoteNode === undefined ? [{ path: ['log'], text: 'logs of type remote need log.remoteNode' }] : [];
}

function checkNames({ ldapConnectors, userMaps, routing }: Parameters): readonly Problem[] {
  const connectors = ldapConnectors.map((connector) => connector.name);
  const unknownConnectors = userMaps.flatMap((map, index): readonly Problem[] => {
    if (map.type === 'localFile' || connectors.includes(map.connector)) return [];
    const known = connectors.length === 0 ? 'there is none' : `there are: ${connectors.join(', ')}`;
    return [{ path: ['userMaps', index, 'connector'], text: `no LDAP connector is named "${map.connector}" (${known})` }];
  });
  const withoutDefault: Problem[] = routing.onMiss === 'default' && routing.mappingHost === undefined
    ? [{ path: ['routing', 'onMiss'], text: '"default" needs routing.mappingHost' }]
    : [];
  const withoutBindDn = ldapConnectors.flatMap((connector, index): readonly Problem[] =>
    (connector.bindDn === undefined) === (connector.bindPassword === undefined) ? [] : [{ path: ['ldapConnectors', index], text: 'bindDn and bindPassword come together' }]);
  return [
    ...repeated('ldapConnectors', connectors), ...repeated('userMaps', userMaps.map((map) => map.name)),
    ...unknownConnectors, ...withoutDefault, ...withoutBindDn,
  ];
}

function repeated(list: string, names: readonly string[]): readonly Problem[] {
  return names.flatMap((name, index) => (names.indexOf(name) === index ? [] : [{ path: [list, index, 'name'], text: `the name "${name}" is used twice` }]));
}

function checkTls({ tls, services }: Parameters, role: Role): readonly Problem[] {
  const problems: Problem[] = [];
  const needsCertificate = activeListeners(services, role).find(({ listener }) => listener.tls !== 'none');
  if ((tls.certificate === undefined) !== (tls.key === undefined)) problems.push({ path: ['tls'], text: 'certificate and key come together' });
  else if (tls.certificate === undefined && needsCertificate !== undefined) {
    problems.push({ path: needsCertificate.path, text: 'a listener with TLS needs tls.certificate and tls.key' });
  }
  const nodeFiles = [tls.clusterAuthority, tls.nodeCertificate, tls.nodeKey];
  if (nodeFiles.includes(undefined) && nodeFiles.some((file) => file !== undefined)) {
    problems.push({ path: ['tls'], text: 'clusterAuthority, nodeCertificate and nodeKey come together' });
  }
  return [...problems, ...checkAcme(tls)];
}

/** Wildcards need another proof than http-01 (RFC 8555 section 8.3). */
function checkAcme({ acme, certificate, virtualHosts }: Parameters['tls']): readonly Problem[] {
  const main: readonly Problem[] = (acme?.names.length ?? 0) > 0 && certificate === undefined ? [{ path: ['tls', 'acme', 'names'], text: 'tls.certificate and tls.key say where this certificate is kept' }] : [];
  const hosts = virtualHosts.flatMap((host, index): readonly Problem[] => {
    if (!host.acme) return [];
    const text = acme === undefined ? 'needs tls.acme' : host.names.length === 0 ? 'needs names' : host.names.some((name) => name.startsWith('*')) ? 'can\'t be had for wildcards' : undefined;
    return text === undefined ? [] : [{ path: ['tls', 'virtualHosts', index, 'acme'], text }];
  });
  return [...main, ...hosts];
}

function checkStorage({ storage }: Parameters, role: Role): readonly Problem[] {
  if (role === 'frontend') return [];
  if (storage.directories.length === 0) return [{ path: ['storage', 'directories'], text: 'a back-end needs one storage at least' }];
  return storage.directories.flatMap((directory, index) =>
    (storage.directories.indexOf(directory) === index ? [] : [{ path: ['storage', 'directories', index], text: 'the same folder stands here twice' }]));
}

interface ActiveListener {
  readonly path: readonly PropertyKey[];
  readonly listener: { readonly address: string; readonly tls?: string; readonly trusted?: boolean };
}

/** The listeners that a node of this role opens. */
export function activeListeners(services: Parameters['services'], role: Role): readonly ActiveListener[] {
  return Object.entries(services).flatMap(([name, service]): readonly ActiveListener[] => {
    if (!service.enable || !('listeners' in service) || !(name === 'admin' || servicesOfRole[role].includes(name))) return [];
    return service.listeners.flatMap((listener, index) => (listener.enable ? [{ path: ['services', name, 'listeners', index], listener }] : []));
  });
}

function checkListeners({ services, tls, loopbackOnly }: Parameters, role: Role): readonly Problem[] {
  const active = activeListeners(services, role);
  const addresses = active.map(({ listener }) => listener.address);
  return active.flatMap(({ path, listener }, index): readonly Problem[] => {
    if (loopbackOnly && !isLoopback(listener.address)) return [{ path: [...path, 'address'], text: `${listener.address} could be reached from other machines, and loopbackOnly forbids that` }];
    if (addresses.indexOf(listener.address) !== index) return [{ path: [...path, 'address'], text: `${listener.address} is used twice on this node` }];
    if (listener.trusted !== true) return [];
    if (listener.tls !== 'implicit') return [{ path: [...path, 'trusted'], text: 'a trusted listener needs tls: implicit' }];
    return tls.clusterAuthority === undefined ? [{ path: [...path, 'trusted'], text: 'a trusted listener needs tls.clusterAuthority' }] : [];
  });
}

/** 127.0.0.0/8 (RFC 1122 section 3.2.1.3), ::1, or a file of this machine. Where systemd listens nobody knows here. */
function isLoopback(address: string): boolean {
  if (address.startsWith('unix:')) return true;
  const host = splitHostAndPort(address)?.host ?? '';
  return host.startsWith('127.') || host === '::1';
}
