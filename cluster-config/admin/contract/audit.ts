/** Operations of the admin API on what administrators did. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { ofNode } from './nodes.ts';
import { addressText } from './sessions.ts';

export const auditEntrySchema = z.object({
  time: z.string(), node: z.string(), reference: z.string().describe('Names the request in the log.'), who: z.string(), by: z.string().describe('How they proved it.'), from: z.string(),
  via: z.string().optional().describe('The node that was asked.'), session: z.string().optional(), what: z.string().describe('The operation.'),
  facts: z.record(z.string(), z.unknown()), result: z.string().describe('done, or the kind of the refusal.'), reason: z.string().optional(),
});

export const auditOperations = {
  listAccountAudit: operation({
    name: 'listAccountAudit', method: 'GET', path: '/accounts/{address}/audit', group: 'audit', needs: 'viewAudit', place: 'keeper', kind: 'read',
    summary: 'What administrators did to an account, the newest first, as it is kept with the account, and as its owner sees it.', params: z.strictObject({ address: addressText }),
    answer: z.object({ entries: z.array(auditEntrySchema) }),
  }),
  listAudit: operation({
    name: 'listAudit', method: 'GET', path: '/nodes/{node}/audit', group: 'audit', needs: 'viewAudit', place: 'node', kind: 'read',
    summary: 'What was done at a node, the newest first, from the end of its audit file.', params: ofNode,
    query: z.strictObject({ address: addressText.optional().describe('Only acts on this account.'), limit: z.coerce.number().int().min(1).max(1000).default(100) }),
    answer: z.object({ entries: z.array(auditEntrySchema), complete: z.boolean().describe('Whether the file was read to its beginning.') }),
  }),
};
