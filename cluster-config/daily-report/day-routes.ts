/** What every node tells the one that makes the daily report, on its admin API. */
import { z } from 'zod';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { Failure } from '../../shared/base/failure.ts';
import { isDay } from '../../shared/reporting/local-day.ts';
import { askSupervisor } from '../../shared/service/siblings.ts';
import { topics } from '../publishing/node-routes.ts';
import { nodeStateSchema } from '../publishing/node-state-schema.ts';
import { dayPath } from './cluster-day.ts';
import { keyOfDay, sentPath } from './daily-report.ts';
import type { ReportOutbox } from './daily-report.ts';
import { countersOf, countersPath } from './frontend-counts.ts';
import { dayOfNode } from './node-day.ts';
import type { NodeDayGround } from './node-day.ts';

const longestSpanMs = 2 * 86_400_000;
const spanSchema = z.object({ from: z.coerce.number().int().min(0), to: z.coerce.number().int().max(8.64e15) }).refine(({ from, to }) => from <= to && to - from <= longestSpanMs);

export function dayRoutes(ground: NodeDayGround): readonly AdminRoute[] {
  const { siblings, measure } = ground.context;
  return [
    {
      prefix: countersPath, allow: 'backends',
      answer: async () => {
        const [state, counted] = await Promise.all([askSupervisor(siblings, topics.state, {}), measure()]);
        return { status: 200, body: { since: nodeStateSchema.parse(state).startedAt, families: countersOf(counted) } };
      },
    },
    {
      prefix: dayPath, allow: 'backends',
      answer: async (_, { query }) => {
        const parsed = spanSchema.safeParse(Object.fromEntries(query));
        if (!parsed.success) throw new Failure('bad-input', 'a day is asked for with from and to (milliseconds since 1970), two days apart at most');
        return { status: 200, body: await dayOfNode(ground, { fromMs: parsed.data.from, toMs: parsed.data.to }) };
      },
    },
  ];
}

/** Whether this back-end has mailed the report of a day, for one that the configuration has named in its place. */
export function sentRoute({ hasSent }: Pick<ReportOutbox, 'hasSent'>): AdminRoute {
  return {
    prefix: sentPath, allow: 'backends',
    answer: async (day) => {
      if (!isDay(day)) throw new Failure('bad-input', 'that is no day');
      return Promise.resolve({ status: 200, body: { sent: hasSent(keyOfDay(day)) } });
    },
  };
}
