/** Operations of the admin API on the text index of a back-end, which makes searches fast. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { jobSchema } from './jobs.ts';
import { ofNode } from './nodes.ts';

const common = { group: 'storages', needs: 'manageStorage', place: 'node', params: ofNode, path: '/nodes/{node}/search-index' } as const;

const storageIndex = z.object({
  directory: z.string(), mailboxes: z.number().describe('That have an index.'), messages: z.number().describe('Of these mailboxes.'), indexed: z.number().describe('Of these messages; the others are looked into.'),
  bytes: z.number(), damaged: z.number().describe('Mailboxes whose index was not as it had been written, and is to be made anew.'),
});

export const searchIndexOperations = {
  showSearchIndex: operation({
    ...common, name: 'showSearchIndex', method: 'GET', kind: 'read', summary: 'The text index of a back-end: how many messages it has, its size.',
    answer: z.object({ which: z.enum(['off', 'searched', 'all']).describe('Which mailboxes get one: storage.textIndex.'), storages: z.array(storageIndex) }),
  }),
  rebuildSearchIndex: operation({
    ...common, name: 'rebuildSearchIndex', method: 'POST', kind: 'act', summary: 'Make the text index anew, of all mailboxes that are to have one, or of one account whether they are or not; answers at once, the job goes on. Searches look into messages meanwhile.',
    body: z.strictObject({ account: z.string().max(320).optional().describe('Its address.') }), answer: jobSchema,
  }),
  dropSearchIndex: operation({
    ...common, name: 'dropSearchIndex', method: 'DELETE', kind: 'act', summary: 'Remove the text index. Mailboxes get one again when they are searched, or at once where all have one.',
    answer: z.object({ mailboxes: z.number(), bytes: z.number() }),
  }),
};
