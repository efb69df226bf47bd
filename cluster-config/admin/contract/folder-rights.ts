/** Operations of the admin API on rights: what others may do with folders of an account. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { allRights, parseRights } from '../../../shared/imap/rights.ts';
import { levelNames } from '../../../shared/imap/rights-levels.ts';
import { ofAddress } from './accounts.ts';
import { addressText } from './sessions.ts';

const folder = z.string().min(1).max(1000).describe('Its name, with / between levels.');
const who = z.string().min(1).max(320).describe('A user\'s address, a group\'s behind $, or anyone: all users of the domain.');
const rights = z.string().max(30).transform((text, context) => {
  try {
    return parseRights(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
}).describe(`Letters of ${allRights} (RFC 4314).`);

const entry = z.object({
  folder: z.string().describe('Where it was given.'), who: z.string(), allow: z.string(), deny: z.string(),
  level: z.enum([...levelNames, 'custom']).describe('The name of what is allowed.'), subfolders: z.boolean().describe('Whether it holds for the folders below, too.'),
});

const common = { group: 'folders', needs: 'manageAccounts', place: 'holder', params: ofAddress, path: '/accounts/{address}/folder-rights' } as const;

export const folderRightsOperations = {
  listFolderRights: operation({
    ...common, name: 'listFolderRights', method: 'GET', kind: 'read', summary: 'Who was granted or denied what at folders of an account.',
    query: z.strictObject({ folder: folder.optional().describe('Only what holds for this folder; all folders when absent.') }),
    answer: z.object({ entries: z.array(entry) }),
  }),
  setFolderRights: operation({
    ...common, name: 'setFolderRights', method: 'PUT', kind: 'act', summary: 'Say what somebody may do with a folder, in the place of what was said before. What is denied anywhere, by a group or a folder above, is denied.',
    body: z.strictObject({ folder, who, allow: rights.default(''), deny: rights.default(''), subfolders: z.boolean().default(false).describe('It holds for the folders below, too.') }),
    answer: entry,
  }),
  removeFolderRights: operation({
    ...common, name: 'removeFolderRights', method: 'DELETE', kind: 'act', summary: 'Take back what was said of somebody at a folder.', query: z.strictObject({ folder, who }), answer: z.object({ removed: z.boolean() }),
  }),
  showEffectiveRights: operation({
    ...common, name: 'showEffectiveRights', method: 'GET', path: '/accounts/{address}/folder-rights/effective', kind: 'read', summary: 'What a user may do with a folder, by all that holds for it.',
    query: z.strictObject({ folder, user: addressText }),
    answer: z.object({ rights: z.string(), level: z.enum([...levelNames, 'custom']), because: z.array(entry).describe('The entries that count for this user.') }),
  }),
};
