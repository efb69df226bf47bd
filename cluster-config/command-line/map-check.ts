/** `waybill map check`: the whole directory against the nodes, on a node's machine or, with --server, from elsewhere. */
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

interface Checked {
  readonly entries: number;
  readonly backends: number;
  /** Of all findings. */
  readonly total: number;
  readonly findings: readonly Pick<Finding, 'kind' | 'text'>[];
}

/** Answers the text and the exit code: 1 when anything was found. @throws Failure, UsageError */
export async function mapCheck(options: MapCheckOptions): Promise<{ readonly text: string; readonly code: number }> {
  const { entries, backends, total, findings } = await checked(options);
  const code = total === 0 ? 0 : 1;
  if (options.json === true) return { text: JSON.stringify({ entries, total, findings }), code };
  const summary = `${String(entries)} entries, ${String(backends)} back-ends: ${total === 0 ? 'all is well' : `${String(total)} to look at`}`;
  return { text: [...findings.map(({ kind, text }) => `${kind.padEnd(16)} ${text}`), summary].join('\n'), code };
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
