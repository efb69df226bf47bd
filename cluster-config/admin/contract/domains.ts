/** Operations of the admin API on domains, which stand in the cluster configuration: they change it where it lies. */
import { z } from 'zod';
import { accountServices, accountStatuses } from '../../../shared/access/account-use.ts';
import { operation } from '../../../shared/admin-api/operation.ts';
import { addressText } from './sessions.ts';

const domainText = z.string().min(3).max(253).regex(/^[^@\s]+\.[^@\s]+$/, 'is not a domain').toLowerCase().describe('A domain.');
const ofDomain = z.strictObject({ domain: domainText });
const quota = z.strictObject({ maxKilobytes: z.number().int().min(0).max(2 ** 40).optional(), maxMessages: z.number().int().min(0).max(2 ** 32).optional() }).describe('Limits of each account of it; 0 for none, absent: as the server says.');

const domainSchema = z.object({
  name: z.string(), kind: z.enum(['primary', 'secondary', 'alias']), of: z.string().optional().describe('The domain that an alias stands for.'), status: z.enum(accountStatuses),
  services: z.array(z.enum(accountServices)), maps: z.array(z.string()).describe('User maps that are asked for it; none: its accounts are local.'), catchAll: z.string().optional(), postmaster: z.string().optional(),
  quota, storages: z.array(z.string()).optional().describe('The only ones for its new accounts.'),
});

const written = z.object({ at: z.enum(['file', 'directory']), file: z.string().optional().describe('Of the node that was asked; nodes that read another one keep what it says.'), version: z.number().optional() }).describe('Where the configuration was changed; nodes take it up by themselves.');
const changed = z.object({ domain: z.string(), configuration: written });
const progress = z.object({
  domain: z.string(), state: z.enum(['going-on', 'stopped', 'done']).describe('going-on: ask again, until it is not. stopped: some accounts could not be changed; the domain stays as it is.'),
  accounts: z.number().describe('Changed by this request.'), left: z.number().describe('Still to be changed, as far as is known.'),
  failed: z.array(z.object({ address: z.string(), reason: z.string() })), configuration: written.optional(),
});

const common = { group: 'domains', needs: 'manageDomains', place: 'here' } as const;
const act = { ...common, kind: 'act' } as const;

export const domainOperations = {
  listDomains: operation({ ...common, name: 'listDomains', method: 'GET', path: '/domains', kind: 'read', summary: 'The domains whose mail is ours, deleted ones too.', answer: z.object({ domains: z.array(domainSchema) }) }),
  showDomain: operation({
    ...common, name: 'showDomain', method: 'GET', path: '/domains/{domain}', kind: 'read', summary: 'A domain, and how many accounts it has.', params: ofDomain,
    answer: domainSchema.extend({ accounts: z.object({ inUse: z.number(), outOfUse: z.number(), bytes: z.number(), messages: z.number(), silent: z.array(z.string()).describe('Back-ends that did not answer.') }) }),
  }),
  addDomain: operation({
    ...act, name: 'addDomain', method: 'POST', path: '/domains', summary: 'Take the mail of another domain, or give one another name. For administrators of the whole cluster.',
    body: z.strictObject({ domain: domainText, aliasOf: domainText.optional(), catchAll: addressText.optional().describe('Who gets mail for addresses that nobody has.') }), answer: changed,
  }),
  setDomain: operation({
    ...act, name: 'setDomain', method: 'POST', path: '/domains/{domain}/settings', summary: 'Set what holds for all accounts of a domain; null takes it out, what is not named stays. Quota and storages are for administrators of the whole cluster.', params: ofDomain,
    body: z.strictObject({
      status: z.enum(accountStatuses).exclude(['deleted']).optional(), services: z.union([z.literal('all'), z.array(z.enum(accountServices))]).optional(), catchAll: addressText.nullable().optional(),
      postmaster: addressText.nullable().optional(), quota: quota.nullable().optional(), storages: z.array(z.string().min(1).max(4096)).min(1).max(128).nullable().optional(),
    }),
    answer: changed,
  }),
  deleteDomain: operation({
    ...act, name: 'deleteDomain', method: 'DELETE', path: '/domains/{domain}', params: ofDomain, query: z.strictObject({ purge: z.enum(['yes', 'no']).default('no').describe('yes: remove its accounts and their mail for good, some at a time, then the domain.') }),
    summary: 'Take a domain out of use: its mail is refused as foreign, its mailboxes are kept. For administrators of the whole cluster.', answer: progress,
  }),
  undeleteDomain: operation({ ...act, name: 'undeleteDomain', method: 'POST', path: '/domains/{domain}/undelete', summary: 'Bring a deleted domain back, with its accounts. For administrators of the whole cluster.', params: ofDomain, answer: changed }),
  renameDomain: operation({
    ...act, name: 'renameDomain', method: 'POST', path: '/domains/{domain}/rename', summary: 'Give a domain another name: its accounts are renamed, some at a time. Ask again until it is done. For administrators of the whole cluster.', params: ofDomain,
    body: z.strictObject({ to: domainText, oldName: z.enum(['kept', 'dropped']).default('dropped').describe('kept: as another name of it.') }), answer: progress,
  }),
};
