/**
 * What each node tells the others of sign-ins of administrators: a session that was ended, a code of an authenticator that was
 * taken. A node that does not answer goes without: it takes an ended session until that would have died by itself, and a code for
 * the 90 s that it serves.
 */
import { z } from 'zod';
import { callNode } from '../../shared/admin/admin-call.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';

const newsSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('session-ended'), session: z.string().min(1).max(64) }),
  z.strictObject({ kind: z.literal('code-used'), name: z.string().min(1).max(64), step: z.number().int().nonnegative() }),
]);
type News = z.output<typeof newsSchema>;

const prefix = '/administrators/news';
const silenceMs = 2000;

/** Resolves when all nodes have heard of it or could not be told. */
export async function tellNews(targets: readonly AdminTarget[], news: News, log: Logger): Promise<void> {
  await Promise.all(targets.map(async (target) => {
    try {
      await callNode(target, { path: prefix, body: news, silenceMs });
    } catch (error) {
      if (!isFailure(error)) throw error;
      log.info({ err: error, news: news.kind, host: target.host, port: target.port }, 'a node could not be told of a sign-in of an administrator');
    }
  }));
}

export function newsRoute(hear: (news: News) => void): AdminRoute {
  return {
    method: 'POST', prefix, allow: 'nodes', kind: 'step',
    answer: async (_, { body }) => {
      const news = newsSchema.safeParse(body);
      if (!news.success) throw new Failure('bad-input', 'those are no news of administrators');
      hear(news.data);
      return Promise.resolve({ status: 200, body: {} });
    },
  };
}
