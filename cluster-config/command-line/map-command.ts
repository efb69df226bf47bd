/**
 * `waybill map show ADDRESS`: who an address is, by which map, and which node keeps the mailbox. A running front-end is
 * asked what it would do, its cache included; where none runs, the maps are asked directly.
 */
import { z } from 'zod';
import { askNode } from '../../shared/admin/admin-client.ts';
import { isFailure } from '../../shared/base/failure.ts';
import { createLog } from '../../shared/log/log.ts';
import { openDirectoryAccess } from '../directory-access.ts';
import { nodeOfMailHost } from '../effective.ts';
import type { NodeConfig } from '../effective.ts';
import { configOfNode, loadConfig } from '../load.ts';
import { loadNodeTls } from '../node-tls.ts';

export interface MapShowOptions {
  readonly config: string;
  readonly node?: string;
}

const askTimeoutMs = 2000;

/** What a front-end says of an address on its admin API. */
const nodeAnswer = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('found'),
    account: z.string(),
    route: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('node'), node: z.string() }),
      z.object({ kind: z.literal('host'), host: z.string(), port: z.number().optional() }),
    ]),
    from: z.enum(['cache', 'directory', 'stale', 'default']),
    map: z.string().optional(),
    dn: z.string().optional(),
    mailHost: z.string().optional(),
  }),
  z.object({ kind: z.literal('unknown'), from: z.enum(['cache', 'directory']) }),
  z.object({ kind: z.literal('foreign') }),
]);

type NodeAnswer = z.output<typeof nodeAnswer>;

const origins: Readonly<Record<'cache' | 'directory' | 'stale' | 'default', string>> = {
  cache: 'its cache',
  directory: 'the map, asked just now',
  stale: 'its cache, beyond its age, as no directory answers',
  default: 'the default back-end, as no map knows the address (routing.onMiss)',
};

/** What a node (the first front-end when none is named) says. @throws ConfigurationRefused, Failure */
export async function mapShowText(address: string, options: MapShowOptions): Promise<string> {
  const config = await loadConfig(options.config);
  const first = Object.values(config.nodes).toSorted((a, b) => (a.role > b.role ? -1 : 1))[0]?.nodeName ?? '';
  const node = configOfNode(config, options.node ?? first, options.config);
  const complete = address.includes('@') ? address : `${address}@${node.primaryDomain}`;
  const said = await askFrontend(complete, node);
  const rows = said === undefined ? await askMaps(complete, node) : rowsOfAnswer(complete, said, node);
  return rows.map(([name, value]) => `${name.padEnd(9)} ${value}`).join('\n');
}

type Rows = readonly (readonly [string, string])[];

/** Undefined when the node is no front-end or does not answer. */
async function askFrontend(address: string, node: NodeConfig): Promise<NodeAnswer | undefined> {
  const port = node.nodes[node.nodeName]?.endpoints.admin;
  if (node.role !== 'frontend' || port === undefined) return undefined;
  try {
    const { toNode } = await loadNodeTls(node);
    const target = { host: node.host, port, tls: toNode(node.nodeName) };
    return nodeAnswer.parse(await askNode(target, `/map/${encodeURIComponent(address)}`, askTimeoutMs));
  } catch (error) {
    if (isFailure(error, 'backend-unavailable')) return undefined;
    throw error;
  }
}

function rowsOfAnswer(address: string, answer: NodeAnswer, config: NodeConfig): Rows {
  if (answer.kind === 'foreign') return [['address', address], ['entry', 'none: not a domain of ours']];
  const source: readonly [string, string] = ['source', `${config.nodeName}: ${origins[answer.from]}`];
  if (answer.kind === 'unknown') return [['address', address], ['entry', 'none'], ['node', 'none: the address is refused as unknown'], source];
  const { account, route, map, dn, mailHost } = answer;
  const place = route.kind === 'node' ? nodeText(route.node, config) : `${route.host}${route.port === undefined ? '' : `:${route.port}`} (not a node of this cluster)`;
  return [
    ['address', account],
    ['entry', dn ?? (map === undefined ? 'none' : 'a line of the map\'s file')],
    ...(map === undefined ? [] : [['map', map] as const]),
    ['node', mailHost === undefined ? place : `${place} (mailHost: ${mailHost})`],
    source,
  ];
}

function nodeText(node: string, config: NodeConfig): string {
  return `${node} at ${config.nodes[node]?.host ?? '?'}`;
}

/** The same from the maps themselves, with nothing cached. */
async function askMaps(address: string, config: NodeConfig): Promise<Rows> {
  const log = createLog({ node: config.nodeName, level: 'silent' });
  const access = await openDirectoryAccess(config, { log, environment: process.env });
  try {
    const entry = await access.maps.lookUp(address);
    const source: readonly [string, string] = ['source', 'the maps, asked just now (no front-end was asked)'];
    if (entry === undefined) {
      const { onMiss, mappingHost } = config.routing;
      const consequence = onMiss === 'default' ? `the default back-end ${mappingHost ?? ''} (routing.onMiss)` : 'none: the address is refused as unknown';
      return [['address', address], ['entry', 'none'], ['node', consequence], source];
    }
    const node = nodeOfMailHost(config.nodes, entry.mailHost);
    const place = node === undefined ? 'not a node of this cluster' : nodeText(node, config);
    return [
      ['address', entry.address],
      ['entry', entry.dn ?? 'a line of the map\'s file'],
      ['map', entry.map],
      ['node', `${place} (mailHost: ${entry.mailHost ?? 'none'})`],
      source,
    ];
  } finally {
    access.close();
  }
}
