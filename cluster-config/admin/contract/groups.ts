/** Operations of the admin API on mailing groups: of a directory, or kept by the back-end of a domain that no directory has. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { ofAddress } from './accounts.ts';
import { nodeName } from './nodes.ts';
import { addressText } from './sessions.ts';

const mostMembers = 10_000;
/** As `showGroup` lists them: an address, or the name of an entry (RFC 4514). */
const memberText = z.string().min(3).max(2000).regex(/[=@]/, 'is neither a mail address nor the name of an entry').toLowerCase().describe('An address, or the name of an entry as the group has it.');
const silent = z.array(z.object({ node: z.string(), reason: z.string() }));
const place = { at: z.enum(['back-end', 'directory']), node: z.string().optional().describe('The back-end that keeps it.'), dn: z.string().optional().describe('Its entry in the directory.') };

export const groupDoneSchema = z.object({
  address: z.string(), ...place, members: z.number().optional().describe('How many it has now.'),
  ldif: z.string().optional().describe('Not done yet: the directory is to be changed by hand, by this.'),
});

const common = { group: 'groups', needs: 'manageAccounts', place: 'here' } as const;
const act = { ...common, kind: 'act', answer: groupDoneSchema } as const;

export const groupOperations = {
  listGroups: operation({
    ...common, name: 'listGroups', method: 'GET', path: '/groups', kind: 'read', summary: 'Groups that back-ends keep, by address. Those of a directory are found by their address.',
    answer: z.object({ groups: z.array(z.object({ address: z.string(), node: z.string(), members: z.array(z.string()) })), silent }),
  }),
  showGroup: operation({
    ...common, name: 'showGroup', method: 'GET', path: '/groups/{address}', kind: 'read', summary: 'The members of a group.', params: ofAddress,
    answer: z.object({ address: z.string(), ...place, members: z.array(z.string()).describe('Addresses; of a directory\'s group names of entries, too.') }),
  }),
  addGroup: operation({
    ...act, name: 'addGroup', method: 'POST', path: '/groups', summary: 'Make a group: an entry of the directory that has the domain, or kept by a back-end.',
    body: z.strictObject({ address: addressText, members: z.array(addressText).max(mostMembers).default([]), node: nodeName.optional().describe('The back-end that is to keep it, where nothing else says so.') }),
  }),
  removeGroup: operation({ ...act, name: 'removeGroup', method: 'DELETE', path: '/groups/{address}', summary: 'Remove a group. Its members are not touched.', params: ofAddress }),
  addMember: operation({ ...act, name: 'addMember', method: 'POST', path: '/groups/{address}/members', summary: 'Add a member to a group.', params: ofAddress, body: z.strictObject({ member: addressText }) }),
  removeMember: operation({
    ...act, name: 'removeMember', method: 'DELETE', path: '/groups/{address}/members/{member}', summary: 'Take a member out of a group.', params: z.strictObject({ ...ofAddress.shape, member: memberText }),
  }),
};
