/** Operations of the admin API on the storages of back-ends. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { jobSchema } from './jobs.ts';
import { ofNode } from './nodes.ts';

export const storageSchema = z.object({
  directory: z.string(), state: z.enum(['ok', 'low', 'failed']).describe('low: less than the reserve is free, mail is refused.'), lockedUntil: z.string().optional().describe('Until then writers wait.'), reason: z.string().optional(),
  totalBytes: z.number().optional().describe('Of the disk.'), freeBytes: z.number().optional(), accounts: z.number().optional(), mailBytes: z.number().optional().describe('What accounts are charged with.'),
  indexBytes: z.number().optional(), packBytes: z.number().optional().describe('Of the files of messages.'), liveBytes: z.number().optional().describe('Of these, what is in some mailbox.'),
});

const common = { group: 'storages', needs: 'manageStorage', place: 'node', params: ofNode } as const;

export const storageOperations = {
  listStorages: operation({ ...common, name: 'listStorages', method: 'GET', path: '/nodes/{node}/storages', kind: 'read', summary: 'Storages of a back-end: there or not, sizes, free space.', answer: z.object({ storages: z.array(storageSchema) }) }),
  checkStorages: operation({
    ...common, name: 'checkStorages', method: 'POST', path: '/nodes/{node}/storages/check', kind: 'act', summary: 'Check all storages, or one, to the last byte, while they are in use; answers at once, the job goes on. Nothing is changed.',
    body: z.strictObject({ directory: z.string().max(4096).optional().describe('As the list has it.') }), answer: jobSchema,
  }),
  lockStorages: operation({
    ...common, name: 'lockStorages', method: 'POST', path: '/nodes/{node}/storages/lock', kind: 'act',
    summary: 'Let nobody write to storages and queue, for a snapshot; everybody reads on, and writers wait. Ends by itself.',
    body: z.strictObject({ seconds: z.number().int().min(1).max(3600).optional().describe('Else: storage.lockSeconds.') }), answer: z.object({ until: z.string(), directories: z.array(z.string()) }),
  }),
  unlockStorages: operation({
    ...common, name: 'unlockStorages', method: 'DELETE', path: '/nodes/{node}/storages/lock', kind: 'act', summary: 'Let everybody write again; says whether the lock had held until now.',
    answer: z.object({ held: z.enum(['held', 'ended', 'none']).describe('ended: it was over before, a snapshot made meanwhile is not of one moment.') }),
  }),
};
