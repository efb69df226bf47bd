/** Operations of the admin API on the life of accounts: all of the cluster's listed; made, barred, renamed, deleted and brought back; aliases, limits. */
import { z } from 'zod';
import { accountServices, accountStatuses } from '../../../shared/access/account-use.ts';
import { operation } from '../../../shared/admin-api/operation.ts';
import { ofAddress, page, password } from './accounts.ts';
import { accountSchema } from './listed-account.ts';
import { nodeName } from './nodes.ts';
import { addressText } from './sessions.ts';

const silent = z.array(z.object({ node: z.string(), reason: z.string() }));

/** What is told of an act that a back-end did. */
export const doneSchema = z.object({
  address: z.string(), node: z.string().describe('The back-end that keeps the account.'),
  notes: z.array(z.string()).describe('What an administrator should know beside: where something is kept, what stays.'),
  ldif: z.string().optional().describe('Not done yet: the directory is to be changed by hand, by this.'),
  silent: silent.describe('Front-ends that did not hear of it: sessions there may go on for a while.'),
});

const quota = z.strictObject({
  maxKilobytes: z.number().int().min(0).max(2 ** 40).optional().describe('Most kilobytes of mail; 0 for no limit. What the domain or the server says when absent.'),
  maxMessages: z.number().int().min(0).max(2 ** 32).optional().describe('Most messages; 0 for no limit. What the domain or the server says when absent.'),
});

const life = { group: 'accounts', needs: 'manageAccounts', place: 'holder', kind: 'act', params: ofAddress, answer: doneSchema } as const;

export const accountLifeOperations = {
  listAccounts: operation({
    name: 'listAccounts', group: 'accounts', needs: 'manageAccounts', method: 'GET', path: '/accounts', place: 'here', kind: 'read', summary: 'Accounts of all back-ends, by address.',
    query: z.strictObject({
      ...page, domain: z.string().max(253).toLowerCase().optional().describe('Only of this domain.'), node: nodeName.optional().describe('Only on this back-end.'),
      state: z.enum(['live', 'withdrawn']).optional().describe('Only those in use, or only those out of use whose mail is kept.'),
    }),
    answer: z.object({ accounts: z.array(accountSchema.extend({ node: z.string() })), total: z.number().describe('On all pages.'), next: z.string().optional(), silent: silent.describe('Back-ends that did not answer: their accounts are not among these.') }),
  }),
  makeAccount: operation({
    name: 'makeAccount', group: 'accounts', needs: 'manageAccounts', method: 'POST', path: '/accounts', place: 'here', kind: 'act',
    summary: 'Make a local account where front-ends will look for it; without a password one is made up, and told this once.',
    body: z.strictObject({ address: addressText, password: password.optional(), node: nodeName.optional().describe('The back-end that is to keep it, where nothing else says so.') }),
    answer: z.object({ address: z.string(), node: z.string(), password: z.string().optional().describe('The one that was made up. It is told only now.') }),
  }),
  setAccountTerms: operation({
    ...life, name: 'setAccountTerms', method: 'POST', path: '/accounts/{address}/terms', summary: 'Say whether and for what an account may be used; what is not named stays as it is. Sessions that it may not have any more end.',
    body: z.strictObject({ status: z.enum(accountStatuses).exclude(['deleted']).optional(), services: z.union([z.literal('all'), z.array(z.enum(accountServices))]).optional() }),
  }),
  renameAccount: operation({
    ...life, name: 'renameAccount', method: 'POST', path: '/accounts/{address}/rename', summary: 'Give an account another address. The mailbox stays as it is; sessions end. What was cut goes on when it is asked for again.',
    body: z.strictObject({ to: addressText, oldAddress: z.enum(['kept', 'dropped']).default('dropped').describe('kept: as an alias.') }),
  }),
  deleteAccount: operation({
    ...life, name: 'deleteAccount', method: 'DELETE', path: '/accounts/{address}', summary: 'Take an account out of use, as if there were none. Its mail is kept for accounts.keepDeletedDays.',
    query: z.strictObject({ purge: z.enum(['yes', 'no']).default('no').describe('yes: remove it and its mail for good, now.') }),
  }),
  undeleteAccount: operation({ ...life, name: 'undeleteAccount', method: 'POST', path: '/accounts/{address}/undelete', summary: 'Bring a deleted account back as it was.' }),
  addAlias: operation({ ...life, name: 'addAlias', method: 'POST', path: '/accounts/{address}/aliases', summary: 'Give a local account another address.', body: z.strictObject({ alias: addressText }) }),
  removeAlias: operation({
    ...life, name: 'removeAlias', method: 'DELETE', path: '/accounts/{address}/aliases/{alias}', summary: 'Take another address of a local account away.', params: z.strictObject({ ...ofAddress.shape, alias: addressText }),
  }),
  setQuota: operation({ ...life, name: 'setQuota', method: 'PUT', path: '/accounts/{address}/quota', summary: 'Limits of an account\'s own; an empty object: those of its domain or of the server hold.', body: quota }),
};
