/** `waybill map stats`: what all workers of all nodes have counted since they started: caches, logins, LDAP operations. */
import { z } from 'zod';
import { Failure } from '../../shared/base/failure.ts';
import { loadConfig } from './load-config.ts';
import { askNodes, complaintsOf } from './ask-nodes.ts';
import type { NodesText } from './ask-nodes.ts';
import type { NodeSaid } from '../node-said.ts';
import { table } from './table.ts';

const count = z.number().int().nonnegative();
const operations = z.object({ searches: count, passwordBinds: count, serviceBinds: count });
const workerStats = z.object({
  process: count,
  mapping: z.object({ hits: count, misses: count, stale: count, questions: count }),
  logins: z.object({ accepted: count, refused: count, unavailable: count, operations: count }),
  connectors: z.record(z.string(), operations),
});
/** A worker of an older program knows no counters. */
const answer = z.object({ workers: z.array(workerStats.nullable()) });

type WorkerStats = z.output<typeof workerStats>;

interface NodeStats {
  readonly node: string;
  readonly role: 'frontend' | 'backend';
  readonly workers: readonly WorkerStats[];
}

const heads = ['NODE', 'WORKERS', 'HITS', 'MISSES', 'STALE', 'LOGINS', 'REFUSED', 'UNAVAILABLE', 'SEARCHES', 'BINDS', 'LDAP OPERATIONS PER LOGIN'];

/** The sums of each node as text, or all workers' counts as JSON. @throws ConfigurationRefused, Failure */
export async function mapStatsText(options: { readonly config: string; readonly json?: boolean }): Promise<NodesText> {
  const config = await loadConfig(options.config);
  const ask = async (role: NodeStats['role']): Promise<readonly (NodeSaid & { readonly role: NodeStats['role'] })[]> =>
    (await askNodes(config, [role], { path: '/map-stats' })).map((one) => ({ ...one, role }));
  const said = (await Promise.all([ask('frontend'), ask('backend')])).flat();
  const nodes = said.flatMap((one): NodeStats[] => ('answer' in one ? [{ node: one.node, role: one.role, workers: workersOf(one.node, one.answer) }] : []));
  const complaints = complaintsOf(said);
  if (options.json === true) return { text: JSON.stringify({ nodes, complaints }, null, 2), complaints };
  const rows = nodes.map(({ node, workers }) => row(node, workers));
  const sums = (['frontend', 'backend'] as const).flatMap((role) => {
    const of = nodes.filter((each) => each.role === role);
    return of.length > 1 ? [row(`all ${role}s`, of.flatMap(({ workers }) => workers))] : [];
  });
  return { text: nodes.length === 0 ? '' : table([heads, ...rows, ...sums]), complaints };
}

function workersOf(node: string, given: unknown): readonly WorkerStats[] {
  const parsed = answer.safeParse(given);
  if (!parsed.success) throw new Failure('bad-input', `${node} gave an answer that this program does not understand; is it of another version?`);
  return parsed.data.workers.filter((worker) => worker !== null);
}

function row(name: string, workers: readonly WorkerStats[]): readonly string[] {
  const sum = (of: (worker: WorkerStats) => number): number => workers.reduce((total, worker) => total + of(worker), 0);
  const ldap = (kind: keyof z.output<typeof operations>): number => sum(({ connectors }) => Object.values(connectors).reduce((total, one) => total + one[kind], 0));
  const logins = sum(({ logins: { accepted, refused, unavailable } }) => accepted + refused + unavailable);
  const figures = [
    workers.length, sum(({ mapping }) => mapping.hits), sum(({ mapping }) => mapping.misses), sum(({ mapping }) => mapping.stale),
    logins, sum((worker) => worker.logins.refused), sum((worker) => worker.logins.unavailable), ldap('searches'), ldap('passwordBinds') + ldap('serviceBinds'),
  ];
  const perLogin = logins === 0 ? '-' : (sum((worker) => worker.logins.operations) / logins).toFixed(2);
  return [name, ...figures.map(String), perLogin];
}
