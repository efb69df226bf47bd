/** Logs over the admin API: each node searches its own, whoever is asked for a journey asks them all. */
import { handled } from '../../shared/admin-api/operation.ts';
import type { Handled } from '../../shared/admin-api/operation.ts';
import type { NodeConfig } from '../effective.ts';
import { Journey } from '../journey.ts';
import { searchNodeLogs } from '../log-search-route.ts';
import { logOperations } from './contract/logs.ts';
import { askEach } from './nodes-asked.ts';

export function logHandlers(config: NodeConfig): readonly Handled[] {
  return [
    handled(logOperations.searchNodeLog, async ({ body }) => {
      const { lines, ...rest } = await searchNodeLogs(config, body);
      return { ...rest, lines: [...lines] };
    }),
    handled(logOperations.trace, async (call) => {
      const journey = new Journey(async (body) => {
        const { answers, silent } = await askEach(Object.keys(config.nodes), call, { path: (node) => `/nodes/${node}/log-search`, request: { method: 'POST', body }, read: (answer) => answer });
        return [...answers, ...silent.map(({ node }) => ({ node, complaint: 'does not answer' }))];
      }, call.query.sinceMs);
      await journey.follow(call.query.what);
      return { entries: [...journey.entries], complaints: [...journey.complaints] };
    }),
  ];
}
