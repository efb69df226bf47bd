/** `/log-search`: lines of this node's log files, for `waybill trace` and WebAdmin. */
import { z } from 'zod';
import type { AdminRoute } from '../shared/admin/admin-server.ts';
import { Failure } from '../shared/base/failure.ts';
import { searchLogs, standardOutputFile } from '../shared/log/log-search.ts';
import type { NodeConfig } from './effective.ts';
import { logFiles } from './node-log.ts';

export const logQuestionSchema = z.strictObject({ terms: z.array(z.string().min(3).max(400)).min(1).max(500), sinceMs: z.number() });

/** Of one node and question. */
const limits = { lines: 2000, bytes: 1024 * 1024 * 1024, ms: 10_000 };

export type LogQuestion = z.output<typeof logQuestionSchema>;

export function logSearchRoute(config: NodeConfig): AdminRoute {
  return {
    method: 'POST', prefix: '/log-search', allow: 'nodes', kind: 'question',
    answer: async (_, { body }) => {
      const parsed = logQuestionSchema.safeParse(body);
      if (!parsed.success) throw new Failure('bad-input', 'say what to search for: words of three letters or more');
      return { status: 200, body: await searchNodeLogs(config, parsed.data) };
    },
  };
}

/** Lines with one of the words, of all log files of this node. */
export async function searchNodeLogs(config: NodeConfig, wanted: LogQuestion): Promise<Awaited<ReturnType<typeof searchLogs>> & { readonly keeps: 'files' | 'nothing' }> {
  const output = config.log.file === undefined ? standardOutputFile() : undefined;
  const files = [...logFiles(config).map(({ file }) => file), ...(output === undefined ? [] : [output])];
  return { ...await searchLogs(files, { ...wanted, limits }), keeps: files.length > 0 || config.log.type !== 'internal' ? 'files' : 'nothing' };
}
