/** Operations of the admin API on the storages of back-ends. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { jobSchema } from './jobs.ts';
import { ofNode } from './nodes.ts';

export const storageSchema = z.object({
  directory: z.string(), state: z.enum(['ok', 'low', 'failed', 'detached', 'attached']).describe('low: less than the reserve is free, mail is refused. detached: taken out, its accounts answer that they can not be had for the time being. attached: is being taken in.'), lockedUntil: z.string().optional().describe('Until then writers wait.'), reason: z.string().optional(),
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
  repairStorages: operation({
    ...common, name: 'repairStorages', method: 'POST', path: '/nodes/{node}/storages/repair', kind: 'act', summary: 'Check all storages, or one, and mend what can be mended, while they are in use; answers at once, the job goes on. No bytes are thrown away.',
    body: z.strictObject({ directory: z.string().max(4096).optional().describe('As the list has it.'), lost: z.enum(['keep', 'remove']).default('keep').describe('remove: messages whose bytes are gone are taken out of their mailboxes, so that a restore from a backup brings them back.') }), answer: jobSchema,
  }),
  compactStorages: operation({
    ...common, name: 'compactStorages', method: 'POST', path: '/nodes/{node}/storages/compact', kind: 'act', summary: 'Rewrite files of messages of which much is dead, while they are in use; answers at once, the job goes on. The space is free some minutes after its end.',
    body: z.strictObject({ directory: z.string().max(4096).optional().describe('As the list has it.'), deadPercent: z.number().int().min(1).max(99).optional().describe('Those of which at least this share is dead. Else: storage.compactDeadPercent, or 50.') }), answer: jobSchema,
  }),
  detachStorage: operation({
    ...common, name: 'detachStorage', method: 'POST', path: '/nodes/{node}/storages/detach', kind: 'act',
    summary: 'Take a storage out: its sessions end, its accounts answer that they can not be had for the time being, mail for them waits. The node closes its files, and remembers.',
    body: z.strictObject({ directory: z.string().max(4096).describe('As the list has it.'), addresses: z.enum(['remember', 'forget']).default('remember').describe('forget: of one that is taken out already and will not come back; from then on its addresses are as unknown as any.') }), answer: z.object({ directory: z.string(), addresses: z.number().describe('Of accounts, aliases and groups.'), files: z.enum(['let-go', 'in-use']).describe('let-go: the node has none of its files open any more, it may be unmounted. in-use: some are open still; the list of storages says when they are let go.') }),
  }),
  attachStorage: operation({
    ...common, name: 'attachStorage', method: 'POST', path: '/nodes/{node}/storages/attach', kind: 'act',
    summary: 'Take a storage in, by its folder on the node: one that was taken out, or one of another node that has let it go. The node goes on; what keeps it from opening it is said, and then it is not taken in. New accounts come into it only where the configuration names it.',
    body: z.strictObject({ directory: z.string().min(1).max(4096) }), answer: z.object({ directory: z.string(), storage: z.enum(['open', 'opening']).describe('opening: that takes longer; the list of storages says when it is open, and has it no more when it could not be opened: then the log of the node says why.'), from: z.string().optional().describe('The node whose it was: its accounts are held until it is settled whose they are.') }),
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
