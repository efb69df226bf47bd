/** Reports over the admin API: each node tells its own samples as series; whoever is asked for all asks the others. */
import { mayTouch, nameOf } from '../../shared/admin-api/caller.ts';
import type { Caller } from '../../shared/admin-api/caller.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import { Failure } from '../../shared/base/failure.ts';
import { totalsOf } from '../../shared/reporting/samples.ts';
import { mostSamples } from '../../shared/reporting/sample-store.ts';
import { seriesOf, stepFor } from '../../shared/reporting/series.ts';
import { findSamples, keepsSamples } from '../node-reporting.ts';
import type { NodeContext } from '../run-node.ts';
import { nodeReportSchema, reportOperations } from './contract/reports.ts';
import { askEach } from './nodes-asked.ts';

export function reportHandlers({ config, siblings, measure }: Pick<NodeContext, 'config' | 'siblings' | 'measure'>): readonly Handled[] {
  return [
    handled(reportOperations.nodeNumbers, async ({ caller }) => {
      demandScope(caller, { scope: 'server', name: '', from: 0 });
      return { atMs: Date.now(), values: [...totalsOf(await measure())] };
    }),
    handled(reportOperations.nodeReport, async ({ caller, query }) => {
      const { scope, name, from: fromMs, to: toMs = Date.now(), counters, points } = query;
      demandScope(caller, query);
      const samples = await findSamples({ config, siblings }, { scope, name, fromMs, toMs, counters });
      const stepMs = stepFor(Math.max(0, toMs - fromMs), points, config.reporting.intervalSeconds * 1000);
      return { node: config.nodeName, keeps: keepsSamples(config), isWhole: samples.length < mostSamples, stepMs, series: seriesOf(samples, stepMs).map((one) => ({ ...one, points: one.points.map(([atMs, value]): [number, number] => [atMs, value]) })) };
    }),
    handled(reportOperations.report, async (call) => {
      const { caller, query } = call;
      demandScope(caller, query);
      const given = { ...query, to: query.to ?? Date.now(), counters: query.counters?.join(',') };
      const text = new URLSearchParams(Object.fromEntries(Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)] as const])))).toString();
      const { answers, silent } = await askEach(Object.keys(config.nodes), call, { path: (node) => `/nodes/${node}/report?${text}`, read: (answer) => nodeReportSchema.parse(answer) });
      return { nodes: answers.map(({ answer }) => answer), silent };
    }),
  ];
}

/** @throws Failure('bad-input') for a scope without its name, Failure('forbidden') for what is not of the caller's domains */
function demandScope(caller: Caller, { scope, name, from, to }: { readonly scope: 'server' | 'domain' | 'account'; readonly name: string; readonly from: number; readonly to?: number | undefined }): void {
  if ((scope === 'server') !== (name === '')) throw new Failure('bad-input', scope === 'server' ? 'a report on servers takes no name' : `a report on ${scope === 'domain' ? 'a domain' : 'an account'} takes its name`);
  if (to !== undefined && to < from) throw new Failure('bad-input', 'from is later than to');
  const address = scope === 'domain' ? `@${name}` : name;
  if (!mayTouch(caller, address)) throw new Failure('forbidden', scope === 'server' ? `${nameOf(caller)} administers some domains only, and this is about the whole cluster` : `${nameOf(caller)} does not administer the domain of ${name}`);
}
