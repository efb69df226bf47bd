/** Operations of the admin API on the queues of back-ends. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { nodeName, ofNode } from './nodes.ts';

const itemId = z.string().regex(/^[0-9a-z]{9,40}$/, 'is not the id of a queued message').describe('The id of a queued message.');
const ofItem = z.strictObject({ node: nodeName, item: itemId });

const recipient = z.object({
  address: z.string(), destination: z.string().describe('`ours`, `node:NAME`, `host:HOST`, `domain:NAME`.'),
  state: z.enum(['waiting', 'finished']), dueAt: z.string().optional().describe('When it is tried next.'), why: z.string().optional(), tries: z.number(), lastWords: z.string().optional().describe('What the last try brought.'),
});
export const queueItemSchema = z.object({
  id: z.string(), sender: z.string().describe('Empty: a report.'), acceptedAt: z.string(), bytes: z.number(), held: z.boolean(), recipients: z.array(recipient),
});

const common = { group: 'queue', needs: 'manageQueue', place: 'node' } as const;
const act = { ...common, kind: 'act', params: ofItem, answer: z.object({ id: z.string(), recipients: z.array(z.string()).describe('Those whom it concerned.') }) } as const;

export const queueOperations = {
  listQueue: operation({
    ...common, name: 'listQueue', method: 'GET', path: '/nodes/{node}/queue', kind: 'read', summary: 'Queued messages, the oldest first.', params: ofNode,
    query: z.strictObject({
      sender: z.string().max(320).optional().describe('Only with this text in the sender.'), recipient: z.string().max(320).optional().describe('Only with this text in a recipient.'),
      held: z.enum(['yes', 'no']).optional(), after: itemId.optional().describe('`next` of the page before.'), limit: z.coerce.number().int().min(1).max(500).default(100),
    }),
    answer: z.object({ items: z.array(queueItemSchema), next: z.string().optional() }),
  }),
  showQueued: operation({
    ...common, name: 'showQueued', method: 'GET', path: '/nodes/{node}/queue/{item}', kind: 'read', summary: 'One queued message with the fields of its header that say what it is.', params: ofItem,
    answer: queueItemSchema.extend({ fields: z.array(z.object({ name: z.string(), value: z.string() })).describe('From, To, Subject, Date, Message-ID.') }),
  }),
  retryQueued: operation({ ...act, name: 'retryQueued', method: 'POST', path: '/nodes/{node}/queue/{item}/retry', summary: 'Try it now.' }),
  holdQueued: operation({ ...act, name: 'holdQueued', method: 'POST', path: '/nodes/{node}/queue/{item}/hold', summary: 'Try it no more until it is released.' }),
  releaseQueued: operation({ ...act, name: 'releaseQueued', method: 'POST', path: '/nodes/{node}/queue/{item}/release', summary: 'Let a held message go on.' }),
  bounceQueued: operation({
    ...act, name: 'bounceQueued', method: 'POST', path: '/nodes/{node}/queue/{item}/bounce', summary: 'Give it up: the sender gets a report for those who wait.',
    body: z.strictObject({ reason: z.string().max(400).default('returned by an administrator').describe('What the report says.') }),
  }),
  deleteQueued: operation({ ...act, name: 'deleteQueued', method: 'DELETE', path: '/nodes/{node}/queue/{item}', summary: 'Delete it; nobody is told.' }),
};
