/** Operations of the admin API on the protocol trace of an account. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { addressText } from './sessions.ts';

const common = { group: 'logs', needs: 'manageLog', place: 'keeper', path: '/accounts/{address}/protocol-trace', params: z.strictObject({ address: addressText }) } as const;
const lineSchema = z.object({ time: z.string(), host: z.string(), service: z.string(), session: z.string(), account: z.string(), way: z.enum(['client', 'server']), text: z.string() });

export const protocolTraceSchema = z.object({
  node: z.string(), until: z.string().optional().describe('Absent: it is off.'), isWhole: z.boolean().describe('False: there is more than one answer takes.'), lines: z.array(lineSchema),
});

export const protocolTraceOperations = {
  traceProtocol: operation({
    ...common, name: 'traceProtocol', method: 'POST', kind: 'act', summary: 'Write down what sessions of an account say that begin from now on, without passwords and texts of messages; 0 minutes end it.',
    body: z.strictObject({ minutes: z.number().int().min(0).max(1440).default(30) }), answer: z.object({ node: z.string(), until: z.string().optional() }),
  }),
  showProtocolTrace: operation({ ...common, name: 'showProtocolTrace', method: 'GET', kind: 'read', summary: 'What was written down, by time.', query: z.strictObject({ since: z.coerce.number().min(0).default(0).describe('Milliseconds since 1970.') }), answer: protocolTraceSchema }),
};
