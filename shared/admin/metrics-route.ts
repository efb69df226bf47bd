/** `/metrics`: what all processes of the node have counted, for Prometheus, from this machine without login. */
import { openMetricsText, openMetricsType } from '../metrics/open-metrics.ts';
import type { Snapshot } from '../metrics/snapshot.ts';
import type { AdminRoute } from './admin-server.ts';

export function metricsRoute(measure: () => Promise<Snapshot>): AdminRoute {
  return { prefix: '/metrics', allow: 'observers', answer: async () => ({ status: 200, text: openMetricsText(await measure()), contentType: openMetricsType }) };
}
