/** `waybill map show ADDRESS`: who an address is, by which map, and which node keeps the mailbox. */
import { createLog } from '../../shared/log/log.ts';
import type { UserEntry } from '../../shared/user-map/user-maps.ts';
import { openDirectoryAccess } from '../directory-access.ts';
import { nodeOfMailHost } from '../effective.ts';
import type { NodeConfig } from '../effective.ts';
import { configOfNode, loadConfig } from '../load.ts';

export interface MapShowOptions {
  readonly config: string;
  readonly node?: string;
}

/** What the maps of a node (the first front-end when none is named) answer now. @throws ConfigurationRefused, Failure */
export async function mapShowText(address: string, options: MapShowOptions): Promise<string> {
  const config = await loadConfig(options.config);
  const first = Object.values(config.nodes).toSorted((a, b) => (a.role > b.role ? -1 : 1))[0]?.nodeName ?? '';
  const node = configOfNode(config, options.node ?? first, options.config);
  const log = createLog({ node: node.nodeName, level: 'silent' });
  const access = await openDirectoryAccess(node, { log, environment: process.env });
  try {
    const complete = address.includes('@') ? address : `${address}@${node.primaryDomain}`;
    return describe(complete, await access.maps.lookUp(complete), node);
  } finally {
    access.close();
  }
}

function describe(address: string, entry: UserEntry | undefined, config: NodeConfig): string {
  const rows: readonly (readonly [string, string])[] = entry === undefined ? unknownRows(address, config) : knownRows(entry, config);
  return rows.map(([name, value]) => `${name.padEnd(9)} ${value}`).join('\n');
}

function unknownRows(address: string, config: NodeConfig): readonly (readonly [string, string])[] {
  const maps = config.userMaps.map((map) => map.name).join(', ');
  const consequence = config.routing.onMiss === 'default' ? `the default back-end ${config.routing.mappingHost ?? ''} (routing.onMiss: default)` : 'none: the address is refused as unknown';
  return [['address', address], ['entry', `none (asked: ${maps === '' ? 'there is no map' : maps})`], ['node', consequence], ['source', 'asked just now']];
}

function knownRows(entry: UserEntry, config: NodeConfig): readonly (readonly [string, string])[] {
  const node = nodeOfMailHost(config.nodes, entry.mailHost);
  const host = entry.mailHost === undefined ? 'the entry names none' : `${entry.mailHost} (not a node of this cluster)`;
  return [
    ['address', entry.address],
    ...(entry.aliases.length === 0 ? [] : [['aliases', entry.aliases.join(', ')] as const]),
    ['entry', entry.dn ?? 'a line of the map\'s file'],
    ['map', entry.map],
    ['node', node === undefined ? host : `${node} at ${config.nodes[node]?.host ?? ''} (mailHost: ${entry.mailHost ?? ''})`],
    ...(entry.routingAddress === undefined ? [] : [['forward', entry.routingAddress] as const]),
    ['source', 'asked just now'],
  ];
}
