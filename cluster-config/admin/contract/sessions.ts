/** Operations of the admin API on live sessions of mail users, which front-ends have. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { ofNode } from './nodes.ts';

export const addressText = z.string().min(3).max(320).regex(/^[^@\s]+@[^@\s]+$/, 'is not a mail address').toLowerCase().describe('A mail address.');

const filterShape = {
  account: addressText.optional().describe('Of this account.'),
  address: z.string().min(2).max(64).optional().describe('Of clients with this IP address, or in this network.'),
  backend: z.string().min(1).max(255).optional().describe('Joined with this back-end.'),
};
const filter = z.strictObject(filterShape);
const meant = filter.refine((given) => Object.values(given).some((value) => value !== undefined), 'says nothing: an account, an address or a backend is needed');

export const sessionFactsSchema = z.object({
  session: z.string().describe('Follows the session through all logs.'),
  service: z.string(), client: z.string(), account: z.string().optional().describe('Absent before login.'), nodes: z.array(z.string()).describe('The back-ends it is joined with.'), since: z.string(),
});
export const nodeSessionsSchema = z.object({ sessions: z.array(sessionFactsSchema) });
const everywhere = z.object({
  sessions: z.array(sessionFactsSchema.extend({ frontend: z.string() })),
  silent: z.array(z.object({ node: z.string(), reason: z.string() })).describe('Front-ends that did not answer: what they have is not among these.'),
});

const common = { group: 'sessions', needs: 'manageSessions' } as const;

export const sessionsOperations = {
  listSessions: operation({ ...common, name: 'listSessions', method: 'GET', path: '/sessions', place: 'here', kind: 'read', summary: 'Live sessions on all front-ends.', query: filter, answer: everywhere }),
  kickSessions: operation({
    ...common, name: 'kickSessions', method: 'POST', path: '/sessions/kick', place: 'here', kind: 'act',
    summary: 'Cut sessions on all front-ends, and list them; an account that is named is signed out of WebMail as well.', body: meant, answer: everywhere,
  }),
  listNodeSessions: operation({ ...common, name: 'listNodeSessions', method: 'GET', path: '/nodes/{node}/sessions', place: 'node', kind: 'read', summary: 'Live sessions of one front-end.', params: ofNode, query: filter, answer: nodeSessionsSchema }),
  kickNodeSessions: operation({ ...common, name: 'kickNodeSessions', method: 'POST', path: '/nodes/{node}/sessions/kick', place: 'node', kind: 'act', summary: 'Cut sessions of one front-end.', params: ofNode, body: meant, answer: nodeSessionsSchema }),
};
