/** `waybill map check`: the whole directory against the nodes, on a node's machine or, with --server, from elsewhere. */
import { counted } from '../../shared/base/counted.ts';
import { isFailure } from '../../shared/base/failure.ts';
import { userMapOperations } from '../admin/contract/user-map.ts';
import { findingsOf } from '../map-findings.ts';
import type { Finding, Overview } from '../map-findings.ts';
import { openApi } from './api-client.ts';
import type { ServerOptions } from './api-client.ts';
import { overviewAt, withCluster } from './cluster-view.ts';
import type { ClusterOptions, ClusterView } from './cluster-view.ts';

export interface MapCheckOptions extends ClusterOptions, ServerOptions {
  readonly json?: boolean;
}

export interface Checked {
  readonly entries: number;
  readonly backends: number;
  /** Of all findings. */
  readonly total: number;
  readonly findings: readonly Pick<Finding, 'kind' | 'text'>[];
}

/** Answers the text and the exit code: 1 when anything was found. @throws Failure, UsageError */
export async function mapCheck(options: MapCheckOptions): Promise<{ readonly text: string; readonly code: number }> {
  const found = await checked(options);
  const { entries, total, findings } = found;
  return { text: options.json === true ? JSON.stringify({ entries, total, findings }) : checkedText(found), code: total === 0 ? 0 : 1 };
}

/** A line for each finding, whether there are more, and the sum. */
export function checkedText({ entries, backends, total, findings }: Checked): string {
  const summary = `${counted(entries, 'entry', 'entries')}, ${counted(backends, 'back-end')}: ${total === 0 ? 'all is well' : `${String(total)} to look at`}`;
  const more = total - findings.length;
  return [...findings.map(({ kind, text }) => `${kind.padEnd(16)} ${text}`), ...(more === 0 ? [] : [`${String(more)} more are not shown: mend these, and check again`]), summary].join('\n');
}

async function checked(options: MapCheckOptions): Promise<Checked> {
  if (options.server !== undefined) return userMapOperations.checkMap.answer.parse(await (await openApi(options)).ask('/directory/check'));
  return withCluster(options, async (view) => {
    const entries = await view.directory.list();
    const findings = findingsOf(view.config, { entries, nodes: await overviews(view) });
    return { entries: entries.length, backends: view.backends.length, total: findings.length, findings };
  });
}

/** Undefined: no answer. */
async function overviews(view: ClusterView): Promise<ReadonlyMap<string, Overview | undefined>> {
  return new Map(await Promise.all(view.backends.map(async (node): Promise<[string, Overview | undefined]> => {
    try {
      return [node, await overviewAt(view, node)];
    } catch (error) {
      if (isFailure(error, 'backend-unavailable')) return [node, undefined];
      throw error;
    }
  })));
}
