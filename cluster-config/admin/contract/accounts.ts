/** Operations of the admin API on accounts: the directory, what back-ends keep, passwords, moves. */
import { z } from 'zod';
import { operation } from '../../../shared/admin-api/operation.ts';
import { accountSchema } from './listed-account.ts';
import { overviewSchema } from '../../map-findings.ts';
import { proxyNames } from '../../proxy-maps.ts';
import { nodeName, ofNode } from './nodes.ts';
import { addressText } from './sessions.ts';

export const ofAddress = z.strictObject({ address: addressText });
export const ofNodeAndAddress = z.strictObject({ node: nodeName.describe('A back-end.'), address: addressText });
export const password = z.string().min(1).max(1024);
export const page = {
  search: z.string().max(320).optional().describe('Only those with this text in an address; case does not count.'),
  after: z.string().max(320).optional().describe('`next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
};

const directoryEntry = z.object({
  address: z.string(), addresses: z.array(z.string()).describe('All of them, aliases too.'), dn: z.string(), mailHost: z.string().optional(),
  names: z.object({ address: z.string(), alias: z.string(), host: z.string() }).describe('The attributes that these stand in.'),
  node: z.string().optional().describe('The node of the cluster that mailHost means.'), kind: z.enum(['mailbox', 'mail only']).describe('mail only: a group, or an address that forwards.'),
});

export const recordSchema = z.object({
  at: z.enum(['live', 'moved', 'arriving', 'withdrawn', 'away', 'none', 'silent']).describe('withdrawn: deleted, or its entry vanished; kept for a while. away: in a storage that is taken out. silent: the node does not answer.'),
  node: z.string().optional(), epoch: z.number().optional(), standing: z.string().optional(), left: z.string().optional(), stage: z.string().optional(), worker: z.string().optional(),
  account: accountSchema.optional().describe('What is kept of it, where it lives or is withdrawn.'),
  messages: z.number().optional(), bytes: z.number().optional(), why: z.string().optional(), atMs: z.number().optional().describe('Since when it is withdrawn, milliseconds since 1970.'),
});

const moveEvent = z.object({ step: z.string(), text: z.string(), at: z.string(), kind: z.string().optional(), ldif: z.string().optional().describe('What is to be changed in the directory by hand.') });
export const moveSchema = z.object({
  state: z.enum(['running', 'done', 'failed', 'unknown']).describe('unknown: this node has no move of the account since it runs.'),
  events: z.array(moveEvent),
});

const accounts = { group: 'accounts', needs: 'manageAccounts' } as const;
const maps = { group: 'user map', needs: 'manageUserMap' } as const;
const moves = { group: 'moves', needs: 'manageCluster', place: 'node', params: ofNodeAndAddress, path: '/nodes/{node}/accounts/{address}/move', answer: moveSchema } as const;

export const accountOperations = {
  searchDirectory: operation({
    ...maps, name: 'searchDirectory', method: 'GET', path: '/directory', place: 'here', kind: 'read', summary: 'Entries of the directory that have an address, by address.', query: z.strictObject(page),
    answer: z.object({ entries: z.array(directoryEntry), total: z.number().describe('On all pages.'), next: z.string().optional() }),
  }),
  showRoute: operation({ ...maps, name: 'showRoute', method: 'GET', path: '/map/{address}', place: 'frontend', kind: 'read', summary: 'What a front-end makes of an address: which entry, which node.', params: ofAddress,
    query: z.strictObject({ service: z.enum(proxyNames).optional().describe('The proxy whose user maps and default back-end are meant, instead of those that hold for all.') }), answer: z.looseObject({ kind: z.string() }) }),
  forgetRoute: operation({
    ...maps, name: 'forgetRoute', method: 'POST', path: '/map/{address}/forget', place: 'here', kind: 'act', summary: 'Make all front-ends ask the directory about an address again.', params: ofAddress,
    answer: z.object({ frontends: z.array(z.string()), silent: z.array(z.object({ node: z.string(), reason: z.string() })) }),
  }),
  forgetNodeRoute: operation({ ...maps, name: 'forgetNodeRoute', method: 'POST', path: '/nodes/{node}/map/{address}/forget', place: 'node', kind: 'act', summary: 'The same at one front-end.', params: ofNodeAndAddress, answer: z.object({ workers: z.number() }) }),
  showAccount: operation({
    ...accounts, name: 'showAccount', method: 'GET', path: '/accounts/{address}', place: 'here', kind: 'read', summary: 'What the directory and every back-end say of an account.', params: ofAddress,
    answer: z.object({
      address: z.string(), passwordAt: z.enum(['directory', 'back-end', 'nowhere']),
      directory: z.object({ dn: z.string().optional(), map: z.string(), mailHost: z.string().optional(), node: z.string().optional() }).optional(),
      records: z.record(z.string(), recordSchema).describe('By back-end.'),
    }),
  }),
  showNodeAccount: operation({ ...accounts, name: 'showNodeAccount', method: 'GET', path: '/nodes/{node}/accounts/{address}', place: 'node', kind: 'read', summary: 'What one back-end keeps of an account.', params: ofNodeAndAddress, answer: recordSchema }),
  listNodeAccounts: operation({
    ...accounts, name: 'listNodeAccounts', method: 'GET', path: '/nodes/{node}/accounts', place: 'node', kind: 'read', summary: 'Accounts whose mail a back-end keeps, in use or not.', params: ofNode,
    query: z.strictObject({ ...page, domain: z.string().max(253).toLowerCase().optional().describe('Only of this domain.'), state: z.enum(['live', 'withdrawn']).optional().describe('Only those in use, or only those out of use.') }),
    answer: z.object({ accounts: z.array(accountSchema), total: z.number(), next: z.string().optional() }),
  }),
  addAccount: operation({
    ...accounts, name: 'addAccount', method: 'POST', path: '/nodes/{node}/accounts', place: 'node', kind: 'act', summary: 'Make a local account: one whose password no directory has.', params: ofNode,
    body: z.strictObject({ address: addressText, password }), answer: z.object({ address: z.string(), node: z.string() }),
  }),
  setPassword: operation({
    ...accounts, name: 'setPassword', method: 'POST', path: '/accounts/{address}/password', place: 'here', kind: 'act', params: ofAddress,
    summary: 'Set the password, wherever it is kept, and end the account\'s WebMail sessions; without a password one is made up, and told this once.', body: z.strictObject({ password: password.optional() }),
    answer: z.object({ takenBy: z.string(), password: z.string().optional().describe('The one that was made up. It is told only now.'), notes: z.array(z.string()).describe('Why WebMail sessions may go on.') }),
  }),
  signOut: operation({ ...accounts, needs: 'manageSessions', name: 'signOutAccount', method: 'POST', path: '/accounts/{address}/sign-out', place: 'keeper', kind: 'act', summary: 'End the account\'s WebMail sessions.', params: ofAddress, answer: z.object({}) }),
  startMove: operation({
    ...moves, name: 'startMove', method: 'POST', kind: 'act', summary: 'Move an account to this back-end while it is in use; answers at once, the move goes on by itself.',
    body: z.strictObject({ from: nodeName.optional().describe('The back-end that holds the mail, where nothing else says so.'), purge: z.boolean().default(false).describe('Remove the mail there as soon as every message was compared.') }),
  }),
  listHoldings: operation({
    ...moves, name: 'listHoldings', method: 'GET', path: '/nodes/{node}/holdings', kind: 'read', summary: 'What a back-end holds, for who empties it: accounts, those on their way to it, mail of those that went away.', params: ofNode,
    query: z.strictObject({ after: page.after, limit: z.coerce.number().int().min(1).max(10_000).default(1000) }),
    answer: overviewSchema.extend({ total: z.number().describe('Of `live`, on all pages.'), next: z.string().optional() }).describe('`arriving` and `left` are on the first page only.'),
  }),
  showMove: operation({ ...moves, name: 'showMove', method: 'GET', kind: 'read', summary: 'How a move goes on.' }),
  reclaimAccount: operation({
    ...moves, name: 'reclaimAccount', method: 'POST', path: '/nodes/{node}/accounts/{address}/reclaim', kind: 'act', summary: 'Take an account back that this back-end gave to a node which is gone for good. What came to it there is lost.',
    body: z.strictObject({ from: nodeName.describe('The node that is gone.'), stopped: z.literal('yes').describe('That it is stopped, and can\'t be reached by anybody: said by who has seen to it.') }),
    answer: z.object({ address: z.string(), node: z.string(), epoch: z.number(), ldif: z.string().optional().describe('What is to be changed in the directory by hand.') }),
  }),
  abortMove: operation({ ...moves, name: 'abortMove', method: 'DELETE', kind: 'act', summary: 'Give up a move that is not done: what has come is thrown away.' }),
};
