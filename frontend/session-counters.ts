/** Sessions of a front-end's worker by the back-end that they are joined with. */
import { gauge, whenMeasured } from '../shared/metrics/metrics.ts';
import { nodeLabel } from '../shared/metrics/proxy-counters.ts';
import type { SessionSet } from './login/session-set.ts';

const sessions = gauge({ name: 'waybill_proxy_sessions', help: 'Sessions that are open now, by service and back-end (none: not logged in yet; foreign: a server that is no node).', labels: ['service', 'node'] });

export function measureSessions(sets: readonly SessionSet[]): void {
  whenMeasured(() => {
    sessions.clear();
    for (const { service, nodes } of sets.flatMap((set) => set.list({}))) {
      for (const node of nodes.length === 0 ? [undefined] : nodes) sessions.add({ service, node: nodeLabel(node) }, 1);
    }
  });
}
