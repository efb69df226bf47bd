/** What every node, front-end or back-end, answers about itself on its admin API: counters, and its Log service. */
import { logRoute } from '../shared/admin/log-routes.ts';
import { metricsRoute } from '../shared/admin/metrics-route.ts';
import type { AdminRoute } from '../shared/admin/admin-server.ts';
import { logSearchRoute } from './log-search-route.ts';
import { reportRoute } from './node-reporting.ts';
import type { NodeContext } from './run-node.ts';

export function observationRoutes(context: NodeContext): readonly AdminRoute[] {
  const { measure, logService, config } = context;
  return [metricsRoute(measure), logRoute(logService), logSearchRoute(config), reportRoute(context)];
}
