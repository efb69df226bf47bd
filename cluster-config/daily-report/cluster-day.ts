/** A day of the whole cluster: what all nodes tell of it, and which of them tell nothing. */
import { callNode } from '../../shared/admin/admin-call.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { spanOfDay } from '../../shared/reporting/local-day.ts';
import type { Day, Span } from '../../shared/reporting/local-day.ts';
import { withSampleFile } from '../node-reporting.ts';
import { dayOfNode, nodeDaySchema } from './node-day.ts';
import type { NodeDay } from './node-day.ts';
import { nodeTargets } from './node-targets.ts';
import type { NodeTarget, ReportGround } from './node-targets.ts';

export const dayPath = '/daily-report/day';

export type NodeTold =
  | { readonly kind: 'told'; readonly node: string; readonly role: NodeDay['role']; readonly day: NodeDay }
  | { readonly kind: 'silent'; readonly node: string; readonly role: NodeDay['role']; readonly reason: string };

export interface ClusterDay {
  readonly cluster: string;
  readonly day: Day;
  readonly span: Span;
  readonly timeZone: string;
  /** When they were asked. */
  readonly askedMs: number;
  /** By name. */
  readonly nodes: readonly NodeTold[];
  /** By node: what is known of front-ends here, of silent ones too. */
  readonly frontendCounts: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Those of which nothing is known from before the day: counting began later. */
  readonly newFrontends: readonly string[];
}

/** A node reads its audit and sums up its samples first. */
const silenceMs = 20_000;

export async function dayOfCluster(ground: ReportGround, day: Day): Promise<ClusterDay> {
  const { config } = ground.context;
  const { defaultTimeZone: timeZone } = config;
  const span = spanOfDay(day, timeZone);
  const here = (async (): Promise<NodeTold> => ({ kind: 'told', node: config.nodeName, role: config.role, day: await dayOfNode(ground, span) }))();
  const nodes = await Promise.all([here, ...nodeTargets(ground).map(async (target) => askFor(target, span))]);
  const frontends = nodes.flatMap(({ node, role }) => (role === 'frontend' ? [node] : []));
  const kept = await withSampleFile(config, (file) => {
    const sums = (name: string, afterMs: number, untilMs: number): ReadonlyMap<string, number> => file.sums({ scope: 'node', name, afterMs, untilMs });
    return {
      frontendCounts: Object.fromEntries(frontends.map((node) => [node, Object.fromEntries(sums(node, span.fromMs, span.toMs))])),
      newFrontends: frontends.filter((node) => sums(node, 0, span.fromMs).size === 0),
    };
  });
  return { cluster: config.clusterName, day, span, timeZone, askedMs: Date.now(), nodes: nodes.toSorted((one, other) => (one.node < other.node ? -1 : 1)), ...kept };
}

async function askFor({ node, role, target }: NodeTarget, { fromMs, toMs }: Span): Promise<NodeTold> {
  try {
    if (target === undefined) throw new Failure('backend-unavailable', 'has no admin listener');
    return { kind: 'told', node, role, day: nodeDaySchema.parse(await callNode(target, { path: `${dayPath}?from=${String(fromMs)}&to=${String(toMs)}`, silenceMs })) };
  } catch (error) {
    if (isFailure(error)) return { kind: 'silent', node, role, reason: error.cause instanceof Error ? error.cause.message : error.message };
    return { kind: 'silent', node, role, reason: 'answers what this node does not understand; is it of another version?' };
  }
}
