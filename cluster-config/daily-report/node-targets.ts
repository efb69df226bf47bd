/** The nodes as the one that makes the daily report asks them; and which one that is. */
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import type { NodeConfig } from '../effective.ts';
import type { NodeTls } from '../node-tls.ts';
import type { NodeDayGround } from './node-day.ts';

export interface ReportGround extends NodeDayGround {
  readonly tls: Pick<NodeTls, 'toNode'>;
}

/** One back-end of the cluster: the one that the configuration names, else the first by name. Undefined in a cluster without back-ends. */
export function reporterOf({ nodes, reporting }: Pick<NodeConfig, 'nodes' | 'reporting'>): string | undefined {
  return reporting.dailyReport.node ?? Object.values(nodes).filter(({ role }) => role === 'backend').map(({ name }) => name).toSorted()[0];
}

export interface NodeTarget {
  readonly node: string;
  readonly role: 'frontend' | 'backend';
  /** Undefined for one without an admin listener. */
  readonly target: AdminTarget | undefined;
}

/** All but this one, by name. */
export function nodeTargets({ context: { config }, tls }: Pick<ReportGround, 'context' | 'tls'>): readonly NodeTarget[] {
  return Object.values(config.nodes).filter(({ name }) => name !== config.nodeName).toSorted((one, other) => (one.name < other.name ? -1 : 1)).map(({ name, role, host, endpoints: { admin: port } }) => ({
    node: name, role, target: port === undefined ? undefined : { host, port, tls: tls.toNode(name) },
  }));
}
