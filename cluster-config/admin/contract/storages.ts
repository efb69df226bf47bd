/** Operations of the admin API on the storages of back-ends. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { ofNode } from './nodes.ts';

const storage = z.object({
  directory: z.string(), state: z.enum(['ok', 'low', 'failed']).describe('low: less than the reserve is free, mail is refused.'), reason: z.string().optional(),
  totalBytes: z.number().optional().describe('Of the disk.'), freeBytes: z.number().optional(), accounts: z.number().optional(), mailBytes: z.number().optional().describe('What accounts are charged with.'),
});

export const storageOperations = {
  listStorages: operation({ name: 'listStorages', method: 'GET', path: '/nodes/{node}/storages', group: 'storages', needs: 'manageStorage', place: 'node', kind: 'read', summary: 'Storages of a back-end: there or not, sizes, free space.', params: ofNode, answer: z.object({ storages: z.array(storage) }) }),
};
