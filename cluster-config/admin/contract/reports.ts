/** Operations of the admin API on what nodes have counted, made for charts. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { isDay } from '../../../shared/reporting/local-day.ts';
import { ofNode } from './nodes.ts';
import { addressText } from './sessions.ts';

const timeMs = z.coerce.number().int().min(0).max(8.64e15);
const counterNames = z.string().max(4000).regex(/^[a-z0-9_/.,-]+$/i, 'is not a list of counters').transform((text) => text.split(',').filter((name) => name !== ''));

const question = z.strictObject({
  scope: z.enum(['server', 'domain', 'account']).default('server').describe('Domains and accounts are counted where `reporting.domains` and `reporting.accounts` are on. An administrator of domains asks for these only.'),
  name: z.string().max(320).toLowerCase().default('').describe('The domain or account.'),
  from: timeMs.describe('Milliseconds since 1970.'), to: timeMs.optional().describe('Milliseconds since 1970; now when absent.'),
  counters: counterNames.optional().describe('Names by comma; all when absent.'),
  points: z.coerce.number().int().min(1).max(2000).default(300).describe('At most so many in a series.'),
});

const series = z.object({
  counter: z.string().describe('The name of a metric without `waybill_`, and its service after a slash where it has one.'),
  kind: z.enum(['level', 'growth']).describe('level: as it was at the end of a point\'s time; growth: what was added in it.'),
  points: z.array(z.tuple([z.number(), z.number()])).describe('Beginning of the point\'s time (milliseconds since 1970), value; by time. Where there is none it was 0, or nothing was counted.'),
});
export const nodeReportSchema = z.object({
  node: z.string(), keeps: z.enum(['file', 'window']).describe('window: in memory, since the process began.'),
  isWhole: z.boolean().describe('False: there were more samples than one answer takes, and the oldest are missing; name fewer counters.'),
  stepMs: z.number().describe('From point to point.'), series: z.array(series),
});

const day = z.string().refine(isDay, 'is no day, such as 2026-11-25');

const values = z.array(z.object({
  counter: z.string().describe('As in reports.'),
  kind: z.enum(['level', 'total']).describe('total: since the node began; what was added between two answers is a rate.'), value: z.number(),
}));

const common = { group: 'reports', needs: 'manageReporting', kind: 'read', query: question } as const;

export const reportOperations = {
  report: operation({
    ...common, name: 'report', method: 'GET', path: '/report', place: 'here', summary: 'What all nodes counted in a span of time.',
    answer: z.object({ nodes: z.array(nodeReportSchema), silent: z.array(z.object({ node: z.string(), reason: z.string() })).describe('Nodes that did not answer.') }),
  }),
  nodeNumbers: operation({
    name: 'nodeNumbers', method: 'GET', path: '/nodes/{node}/numbers', group: 'reports', needs: 'manageReporting', place: 'node', kind: 'read', summary: 'What one node counts, as it is now.', params: ofNode,
    answer: z.object({ atMs: z.number().describe('Milliseconds since 1970.'), values }),
  }),
  nodeReport: operation({ ...common, name: 'nodeReport', method: 'GET', path: '/nodes/{node}/report', place: 'node', summary: 'What one node counted in a span of time.', params: ofNode, answer: nodeReportSchema }),
  showDailyReport: operation({
    name: 'showDailyReport', method: 'GET', path: '/report/daily', group: 'reports', needs: 'manageReporting', place: 'here', kind: 'read', summary: 'The daily report of the cluster as it would be mailed now.',
    query: z.strictObject({ day: day.optional().describe('Yesterday when absent.') }), answer: z.object({ day: z.string(), subject: z.string(), text: z.string(), html: z.string() }),
  }),
  mailDailyReport: operation({
    name: 'mailDailyReport', method: 'POST', path: '/report/daily/mail', group: 'reports', needs: 'manageReporting', place: 'here', kind: 'act', summary: 'Mail the daily report now, beside the one that is due every day.',
    body: z.strictObject({ day: day.optional().describe('Yesterday when absent.'), to: z.array(addressText).max(50).default([]).describe('`reporting.dailyReport.recipients` when empty.') }),
    answer: z.object({ day: z.string(), node: z.string().describe('Whose queue has it.'), id: z.string().describe('Of the queued message.'), to: z.array(z.string()) }),
  }),
};
