/** Operations of the admin API on the logs of nodes. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { ofNode } from './nodes.ts';

const common = { group: 'logs', needs: 'manageLog', kind: 'read' } as const;
const word = z.string().min(3).max(400);
const sinceMs = z.coerce.number().min(0).describe('Milliseconds since 1970.');

export const logOperations = {
  trace: operation({
    ...common, name: 'trace', method: 'GET', path: '/trace', place: 'here', summary: 'The journey of a session, a message or an address through all nodes, out of their logs.',
    query: z.strictObject({ what: word.describe('An id of a session or message, or an address.'), sinceMs }),
    answer: z.object({
      entries: z.array(z.looseObject({ time: z.string(), level: z.number(), host: z.string(), msg: z.string() })).describe('In the order of time.'),
      complaints: z.array(z.string()).describe('What is missing among them, and why.'),
    }),
  }),
  searchNodeLog: operation({
    ...common, name: 'searchNodeLog', method: 'POST', path: '/nodes/{node}/log-search', place: 'node', summary: 'Lines of one node\'s log files that have one of the words.', params: ofNode,
    body: z.strictObject({ terms: z.array(word).min(1).max(500), sinceMs }),
    answer: z.object({ lines: z.array(z.string()), end: z.enum(['complete', 'cut']), keeps: z.enum(['files', 'nothing']) }),
  }),
};
