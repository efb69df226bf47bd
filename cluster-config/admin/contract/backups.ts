/** Operations of the admin API on backups of back-ends. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { ofNodeAndAddress } from './accounts.ts';
import { backupSchema, jobSchema } from './jobs.ts';
import { nodeName, ofNode } from './nodes.ts';

const backupName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'is not the name of a backup').describe('A backup in the node\'s storage.backupDirectory.');
const ofBackup = z.strictObject({ node: nodeName, backup: backupName });
const common = { group: 'storages', needs: 'manageStorage', place: 'node' } as const;
const begins = { ...common, method: 'POST', kind: 'act', answer: jobSchema } as const;

export const backupOperations = {
  listBackups: operation({ ...common, name: 'listBackups', method: 'GET', path: '/nodes/{node}/backups', kind: 'read', summary: 'The whole backups that a back-end can read, the newest first.', params: ofNode, answer: z.object({ backups: z.array(backupSchema) }) }),
  makeBackup: operation({
    ...begins, name: 'makeBackup', path: '/nodes/{node}/backups', summary: 'Copy queue and storages while they are in use; answers at once, the job goes on.', params: ofNode,
    body: z.strictObject({ name: backupName.optional().describe('Else: of node and time.') }),
  }),
  checkBackup: operation({ ...begins, name: 'checkBackup', path: '/nodes/{node}/backups/{backup}/check', summary: 'Check the storages of a backup to the last byte.', params: ofBackup }),
  deleteBackup: operation({ ...common, name: 'deleteBackup', method: 'DELETE', kind: 'act', path: '/nodes/{node}/backups/{backup}', summary: 'Delete a backup; others that share packs with it keep them.', params: ofBackup, answer: z.object({ name: z.string() }) }),
  restoreBackup: operation({ ...begins, name: 'restoreBackup', path: '/nodes/{node}/backups/{backup}/restore', summary: 'Bring all accounts of a backup back into this back-end; nothing is overwritten.', params: ofBackup }),
  restoreAccount: operation({
    ...begins, name: 'restoreAccount', path: '/nodes/{node}/accounts/{address}/restore', summary: 'Bring one account back, or one of its mailboxes with those below; nothing is overwritten.', params: ofNodeAndAddress,
    body: z.strictObject({ from: backupName, mailbox: z.string().min(1).max(1000).optional() }),
  }),
};
