/** `/log-search`: lines of this node's log files, for `waybill trace`. */
import { z } from 'zod';
import type { AdminRoute } from '../shared/admin/admin-server.ts';
import { Failure } from '../shared/base/failure.ts';
import { searchLogs, standardOutputFile } from '../shared/log/log-search.ts';
import type { NodeConfig } from './effective.ts';
import { logFiles } from './node-log.ts';

const question = z.strictObject({ terms: z.array(z.string().min(3).max(400)).min(1).max(500), sinceMs: z.number() });

/** Of one node and question. */
const limits = { lines: 2000, bytes: 1024 * 1024 * 1024, ms: 10_000 };

export function logSearchRoute(config: NodeConfig): AdminRoute {
  return {
    method: 'POST', prefix: '/log-search', allow: 'nodes',
    answer: async (_, { body }) => {
      const parsed = question.safeParse(body);
      if (!parsed.success) throw new Failure('bad-input', 'say what to search for: words of three letters or more');
      const output = config.log.file === undefined ? standardOutputFile() : undefined;
      const files = [...logFiles(config).map(({ file }) => file), ...(output === undefined ? [] : [output])];
      return { status: 200, body: { ...await searchLogs(files, { ...parsed.data, limits }), keeps: files.length > 0 || config.log.type !== 'internal' ? 'files' : 'nothing' } };
    },
  };
}
