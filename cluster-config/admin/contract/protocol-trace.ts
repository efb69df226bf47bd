/** Operations of the admin API on the protocol trace of an account. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { nodeName } from './nodes.ts';
import { addressText } from './sessions.ts';

const common = { group: 'logs', needs: 'manageLog' } as const;
const atKeeper = { ...common, place: 'keeper', path: '/accounts/{address}/protocol-trace', params: z.strictObject({ address: addressText }) } as const;
const atNode = { ...common, place: 'node', path: '/nodes/{node}/protocol-traces/{address}', params: z.strictObject({ node: nodeName, address: addressText }) } as const;

export const traceLineSchema = z.object({ time: z.string(), host: z.string(), service: z.string(), session: z.string(), account: z.string(), way: z.enum(['client', 'server']), text: z.string() });

export const protocolTraceSchema = z.object({
  node: z.string(), until: z.string().optional().describe('Absent: it is off.'), isWhole: z.boolean().describe('False: there is more than one answer takes.'), lines: z.array(traceLineSchema),
});
export const switchedTraceSchema = z.object({
  node: z.string(), until: z.string().optional(), silent: z.array(z.object({ node: z.string(), reason: z.string() })).describe('Front-ends that could not be told; they are told when they answer.'),
});

const act = {
  ...common, method: 'POST', kind: 'act', answer: switchedTraceSchema,
  body: z.strictObject({
    minutes: z.number().int().min(0).max(1440).default(30),
    frontends: z.enum(['no', 'login', 'all']).default('login').describe('What front-ends tell: nothing, what is said until the login, or what they pass on afterwards, too.'),
  }),
} as const;
const read = { ...common, method: 'GET', kind: 'read', answer: protocolTraceSchema, query: z.strictObject({ since: z.coerce.number().min(0).default(0).describe('Milliseconds since 1970.') }) } as const;

export const protocolTraceOperations = {
  traceProtocol: operation({ ...act, ...atKeeper, name: 'traceProtocol', summary: 'Write down what sessions of an account say that begin from now on, without passwords and texts of messages; 0 minutes end it.' }),
  showProtocolTrace: operation({ ...read, ...atKeeper, name: 'showProtocolTrace', summary: 'What was written down, by time.' }),
  traceProtocolAt: operation({ ...act, ...atNode, name: 'traceProtocolAt', summary: 'The same, written down by a back-end of your choice: for mailboxes on servers that are no nodes.' }),
  showProtocolTraceAt: operation({ ...read, ...atNode, name: 'showProtocolTraceAt', summary: 'What that back-end has written down, by time.' }),
};
