/** `waybill map stats`: what all workers of all nodes have counted since they started: caches, logins, LDAP operations. */
import type { z } from 'zod';
import { userMapOperations } from '../admin/contract/user-map.ts';
import type { workerStatisticsSchema } from '../admin/contract/user-map.ts';
import { workersCounted } from '../workers-counted.ts';
import type { WorkerStatistics } from '../workers-counted.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { loadConfig } from './load-config.ts';
import { askNodes, complaintsOf } from './ask-nodes.ts';
import type { NodesText } from './ask-nodes.ts';
import type { NodeSaid } from '../node-said.ts';
import { table } from './table.ts';

interface NodeStats {
  readonly node: string;
  readonly role: 'frontend' | 'backend';
  readonly workers: readonly WorkerStatistics[];
}

const heads = ['NODE', 'WORKERS', 'HITS', 'MISSES', 'STALE', 'LOGINS', 'REFUSED', 'UNAVAILABLE', 'SEARCHES', 'BINDS', 'LDAP OPERATIONS PER LOGIN'];

interface Counted {
  readonly nodes: readonly NodeStats[];
  readonly complaints: readonly string[];
}

/** The sums of each node as text, or all workers' counts as JSON. @throws ConfigurationRefused, Failure */
export async function mapStatsText(options: ApiOptions & { readonly json?: boolean }): Promise<NodesText> {
  const { nodes, complaints } = options.server === undefined ? await countedByNodes(options.config) : await countedByApi(options);
  if (options.json === true) return { text: JSON.stringify({ nodes, complaints }, null, 2), complaints };
  const rows = nodes.map(({ node, workers }) => row(node, workers));
  const sums = (['frontend', 'backend'] as const).flatMap((role) => {
    const of = nodes.filter((each) => each.role === role);
    return of.length > 1 ? [row(`all ${role}s`, of.flatMap(({ workers }) => workers))] : [];
  });
  return { text: nodes.length === 0 ? '' : table([heads, ...rows, ...sums]), complaints };
}

async function countedByApi(options: ApiOptions): Promise<Counted> {
  const { nodes, silent } = userMapOperations.mapStatistics.answer.parse(await (await openApi(options)).ask('/map-statistics'));
  return { nodes, complaints: silent.map(({ reason }) => reason) };
}

async function countedByNodes(file: string): Promise<Counted> {
  const config = await loadConfig(file);
  const ask = async (role: NodeStats['role']): Promise<readonly (NodeSaid & { readonly role: NodeStats['role'] })[]> =>
    (await askNodes(config, [role], { path: '/map-stats' })).map((one) => ({ ...one, role }));
  const said = (await Promise.all([ask('frontend'), ask('backend')])).flat();
  return { nodes: said.flatMap((one): NodeStats[] => ('answer' in one ? [{ node: one.node, role: one.role, workers: workersCounted(one.node, one.answer) }] : [])), complaints: complaintsOf(said) };
}

function row(name: string, workers: readonly WorkerStatistics[]): readonly string[] {
  const sum = (of: (worker: WorkerStatistics) => number): number => workers.reduce((total, worker) => total + of(worker), 0);
  const ldap = (kind: keyof z.output<typeof workerStatisticsSchema>['connectors'][string]): number => sum(({ connectors }) => Object.values(connectors).reduce((total, one) => total + one[kind], 0));
  const logins = sum(({ logins: { accepted, refused, unavailable } }) => accepted + refused + unavailable);
  const figures = [
    workers.length, sum(({ mapping }) => mapping.hits), sum(({ mapping }) => mapping.misses), sum(({ mapping }) => mapping.stale),
    logins, sum((worker) => worker.logins.refused), sum((worker) => worker.logins.unavailable), ldap('searches'), ldap('passwordBinds') + ldap('serviceBinds'),
  ];
  const perLogin = logins === 0 ? '-' : (sum((worker) => worker.logins.operations) / logins).toFixed(2);
  return [name, ...figures.map(String), perLogin];
}
