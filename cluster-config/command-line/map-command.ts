/**
 * `waybill map show ADDRESS`: who an address is, by which map, and which node keeps the mailbox. A running front-end is
 * asked what it would do, its cache included; where none answers, the maps are asked directly, and the output says so.
 */
import { z } from 'zod';
import { askNode } from '../../shared/admin/admin-client.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { createLog } from '../../shared/log/log.ts';
import type { UserEntry } from '../../shared/user-map/user-maps.ts';
import { openDirectoryAccess } from '../directory-access.ts';
import { localDomains, nodeOfMailHost } from '../effective.ts';
import { mapSelection, proxyNames } from '../proxy-maps.ts';
import type { MapSelection, ProxyName } from '../proxy-maps.ts';
import type { NodeConfig } from '../effective.ts';
import { configOfNode } from '../load.ts';
import { loadConfig } from './load-config.ts';
import { splitHostAndPort } from '../values.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { readableTls } from './ask-nodes.ts';
import { UsageError } from './usage-error.ts';

export interface MapShowOptions extends ApiOptions {
  readonly node?: string;
  /** A proxy whose user maps and default back-end are meant, instead of those that hold for all. */
  readonly service?: string;
  readonly json?: boolean;
}

const askTimeoutMs = 2000;

/** What a front-end says of an address on its admin API; direct answers have the same form. */
const mapAnswer = z.discriminatedUnion('kind', [
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
  z.object({ kind: z.literal('mailOnly'), account: z.string(), map: z.string(), dn: z.string().optional(), forwardsTo: z.string().optional() }),
  z.object({ kind: z.literal('foreign') }),
  z.object({ kind: z.literal('unavailable'), reason: z.string() }),
]);

type MapAnswer = z.output<typeof mapAnswer>;
type Route = Extract<MapAnswer, { kind: 'found' }>['route'];

/** Who was asked. `maps`: this command itself asked them, because `reason`. */
type Asked = { readonly kind: 'node'; readonly node: string } | { readonly kind: 'maps'; readonly reason: string };

interface Shown {
  readonly address: string;
  readonly answer: MapAnswer;
  readonly asked: Asked;
}

/** What a node (the first front-end when none is named) says, as text or JSON. @throws ConfigurationRefused, Failure */
export async function mapShowText(address: string, options: MapShowOptions): Promise<string> {
  if (options.server !== undefined) return serverText(address, options, options.server);
  const config = await loadConfig(options.config);
  const all = Object.values(config.nodes);
  const named = options.node ?? (all.find(({ role }) => role === 'frontend') ?? all[0])?.nodeName ?? '';
  const node = configOfNode(config, named, options.config);
  const complete = address.includes('@') ? address : `${address}@${node.primaryDomain}`;
  const shown = await show({ address: complete, service: serviceNamed(options.service) }, node, all);
  if (options.json === true) return JSON.stringify({ address: complete, ...shown.answer, asked: shown.asked }, null, 2);
  return rowsText(rowsOf(shown, node.nodes));
}

/** What the node at `server` says, or a front-end that it asks. */
async function serverText(given: string, options: MapShowOptions, server: string): Promise<string> {
  if (options.node !== undefined) throw new UsageError('with --server the node is named by its address: --server https://HOST:PORT');
  const api = await openApi(options);
  const address = await api.complete(given);
  const service = serviceNamed(options.service);
  const answer = mapAnswer.parse(await api.ask(`/map/${encodeURIComponent(address)}${service === undefined ? '' : `?service=${service}`}`));
  const asked = { kind: 'node', node: server } as const;
  if (options.json === true) return JSON.stringify({ address, ...answer, asked }, null, 2);
  return rowsText(rowsOf({ address, answer, asked }, {}));
}

function rowsText(rows: Rows): string {
  return rows.map(([name, value]) => `${name.padEnd(9)} ${value}`).join('\n');
}

function serviceNamed(name: string | undefined): ProxyName | undefined {
  const service = proxyNames.find((one) => one === name);
  if (name !== undefined && service === undefined) throw new UsageError(`--service is one of ${proxyNames.join(', ')}`);
  return service;
}

interface Question {
  readonly address: string;
  readonly service: ProxyName | undefined;
}

async function show(question: Question, node: NodeConfig, all: readonly NodeConfig[]): Promise<Shown> {
  const { address } = question;
  try {
    return { address, answer: await askFrontend(question, node, all), asked: { kind: 'node', node: node.nodeName } };
  } catch (error) {
    if (!isFailure(error, 'backend-unavailable')) throw error;
    const why = error.cause instanceof Error ? ` (${error.cause.message})` : '';
    return { address, answer: await askMaps(question, node), asked: { kind: 'maps', reason: `${error.message}${why}` } };
  }
}

/** @throws Failure('backend-unavailable') when the node is no front-end, does not answer or can't be asked */
async function askFrontend({ address, service }: Question, node: NodeConfig, all: readonly NodeConfig[]): Promise<MapAnswer> {
  const { nodeName, host, nodes } = node;
  const port = nodes[nodeName]?.endpoints.admin;
  if (node.role !== 'frontend') throw new Failure('backend-unavailable', `${nodeName} is no front-end`);
  if (port === undefined) throw new Failure('backend-unavailable', `${nodeName} has no admin listener`);
  const { toNode } = await readableTls(node, all);
  const path = `/map/${encodeURIComponent(address)}${service === undefined ? '' : `?service=${service}`}`;
  try {
    return mapAnswer.parse(await askNode({ host, port, tls: toNode(nodeName) }, path, askTimeoutMs));
  } catch (error) {
    if (!isFailure(error, 'backend-unavailable')) throw error;
    throw new Failure('backend-unavailable', `${nodeName} does not answer`, { cause: error.cause });
  }
}

/** What a front-end with this configuration and nothing in its cache would say. @throws Failure */
async function askMaps({ address, service }: Question, config: NodeConfig): Promise<MapAnswer> {
  const at = address.lastIndexOf('@');
  if (!localDomains(config).includes(address.slice(at + 1).toLowerCase())) return { kind: 'foreign' };
  const access = await openDirectoryAccess(config, { log: createLog({ node: config.nodeName, level: 'silent' }), environment: process.env });
  const selection = mapSelection(config, service);
  try {
    return answerOf(await access.maps.only(selection.maps.map(({ name }) => name)).lookUp(address), address, { config, selection });
  } catch (error) {
    if (!isFailure(error, 'directory-unavailable')) throw error;
    return { kind: 'unavailable', reason: error.message };
  } finally {
    access.close();
  }
}

function answerOf(entry: UserEntry | undefined, address: string, { config, selection }: { readonly config: NodeConfig; readonly selection: MapSelection }): MapAnswer {
  const { onMiss, defaultBackend } = selection;
  if (entry === undefined) {
    if (defaultBackend === undefined || onMiss === 'refuse') return { kind: 'unknown', from: 'directory' };
    return { kind: 'found', account: address, route: defaultBackend, from: 'default' };
  }
  if (entry.group !== undefined || (entry.mailHost === undefined && entry.routingAddress !== undefined)) {
    return { kind: 'mailOnly', account: entry.address, map: entry.map, dn: entry.dn, forwardsTo: entry.routingAddress };
  }
  const route = entry.mailHost === undefined ? defaultBackend : routeOf(entry.mailHost, config);
  if (route === undefined) return { kind: 'unavailable', reason: `the entry ${entry.dn ?? entry.address} names no host` };
  return { kind: 'found', account: entry.address, route, from: 'directory', map: entry.map, dn: entry.dn, mailHost: entry.mailHost };
}

function routeOf(mailHost: string, config: NodeConfig): Route {
  const node = nodeOfMailHost(config.nodes, mailHost);
  return node === undefined ? { kind: 'host', ...(splitHostAndPort(mailHost) ?? { host: mailHost }) } : { kind: 'node', node };
}

type Rows = readonly (readonly [string, string])[];

function rowsOf({ address, answer, asked }: Shown, nodes: NodeHosts): Rows {
  const source = ['source', sourceText(answer, asked)] as const;
  if (answer.kind === 'foreign') return [['address', address], ['entry', 'none: not a domain of ours'], source];
  if (answer.kind === 'unavailable') return [['address', address], ['entry', `can't be told now: ${answer.reason}`], source];
  if (answer.kind === 'unknown') return [['address', address], ['entry', 'none'], ['node', 'none: the address is refused as unknown'], source];
  if (answer.kind === 'mailOnly') {
    const goes = answer.forwardsTo === undefined ? 'none: mail goes to the members of the group' : `none: mail is forwarded to ${answer.forwardsTo}`;
    return [['address', answer.account], ['entry', answer.dn ?? 'none'], ['map', answer.map], ['node', goes], source];
  }
  const { account, route, map, dn, mailHost } = answer;
  const place = placeText(route, nodes);
  return [
    ['address', account],
    ['entry', dn ?? (map === undefined ? 'none' : 'a line of the map\'s file')],
    ...(map === undefined ? [] : [['map', map] as const]),
    ['node', mailHost === undefined ? place : `${place} (mailHost: ${mailHost})`],
    source,
  ];
}

/** Where nodes are, as far as that is known. */
type NodeHosts = Readonly<Record<string, { readonly host: string }>>;

function placeText(route: Route, nodes: NodeHosts): string {
  if (route.kind === 'node') return `${route.node}${nodes[route.node] === undefined ? '' : ` at ${nodes[route.node]?.host ?? ''}`}`;
  return `${route.host}${route.port === undefined ? '' : `:${String(route.port)}`} (not a node of this cluster)`;
}

const origins = {
  cache: 'cache',
  directory: 'directory, asked just now',
  stale: 'cache, beyond its age, as the directory does not answer',
  default: 'the default back-end, as no map knows the address (routing.onMiss)',
} as const;

function sourceText(answer: MapAnswer, asked: Asked): string {
  const from = 'from' in answer ? origins[answer.from] : answer.kind === 'mailOnly' ? 'directory' : 'no map was asked';
  if (asked.kind === 'node') return `${asked.node}: ${answer.kind === 'unavailable' ? 'neither cache nor directory' : from}`;
  return `${answer.kind === 'unavailable' ? 'directory' : from}; not a front-end's cache: ${asked.reason}`;
}
