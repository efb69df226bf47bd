/** The admin routes behind `waybill account` and `waybill group`: what is asked is checked here, and done by `AccountAdministration`. */
import { z } from 'zod';
import { accountServices } from '../../shared/access/account-use.ts';
import type { RouteAct } from '../../shared/admin/act.ts';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { Failure } from '../../shared/base/failure.ts';
import { parseAddress } from '../../shared/smtp/address.ts';
import type { Storage } from '../storage/storage.ts';
import type { AccountAdministration } from './administration.ts';
import type { Done } from './administration-ground.ts';

const by = z.string().min(1).max(200);
const mostMembers = 10_000;
const address = z.string().max(320).transform((text) => text.toLowerCase()).refine((text) => parseAddress(text) !== undefined && !text.includes('"'), 'is not an address');
const bodies = {
  act: z.strictObject({ by }),
  terms: z.strictObject({ by, status: z.enum(['active', 'noaccess', 'disabled']).optional(), services: z.union([z.literal('all'), z.array(z.enum(accountServices))]).optional() }),
  rename: z.strictObject({ by, to: address, oldAddress: z.enum(['kept', 'dropped']) }),
  alias: z.strictObject({ by, alias: address }),
  group: z.strictObject({ by, members: z.array(address).max(mostMembers) }),
} as const;

/** How the audit calls each, and what it has of them. */
const acts = {
  terms: { what: 'setAccountTerms', argument: 'address', fields: ['status', 'services'] },
  delete: { what: 'deleteAccount', argument: 'address' },
  undelete: { what: 'undeleteAccount', argument: 'address' },
  purge: { what: 'purgeAccount', argument: 'address' },
  rename: { what: 'renameAccount', argument: 'from', fields: ['to', 'oldAddress'] },
  'alias-add': { what: 'addAlias', argument: 'address', fields: ['alias'] },
  'alias-remove': { what: 'removeAlias', argument: 'address', fields: ['alias'] },
  'group-put': { what: 'putGroup', argument: 'group', fields: ['members'] },
  'group-remove': { what: 'removeGroup', argument: 'group' },
} as const satisfies Readonly<Record<string, RouteAct>>;

export function administrationRoutes(administration: AccountAdministration, { lives }: Pick<Storage, 'lives'>): readonly AdminRoute[] {
  const post = <Body extends z.ZodType>(what: keyof typeof acts, body: Body, act: (address: string, given: z.output<Body>) => Promise<Done>): AdminRoute => ({
    method: 'POST', prefix: `/administration/${what}/`, allow: 'backends', kind: acts[what],
    answer: async (given, { body: sent }) => ({ status: 200, body: await act(read(address, given, 'the address'), read(body, sent, 'what is asked')) }),
  });
  const get = (what: string, answer: () => unknown): AdminRoute => ({ prefix: `/administration/${what}`, allow: 'nodes', answer: async () => Promise.resolve({ status: 200, body: answer() }) });
  return [
    get('accounts', () => ({ accounts: lives.list() })),
    get('groups', () => ({ groups: lives.groups() })),
    post('terms', bodies.terms, async (account, { by: who, ...wish }) => administration.setTerms(account, wish, who)),
    post('delete', bodies.act, async (account, { by: who }) => administration.delete(account, who)),
    post('undelete', bodies.act, async (account, { by: who }) => administration.undelete(account, who)),
    post('purge', bodies.act, async (account, { by: who }) => administration.purge(account, who)),
    post('rename', bodies.rename, async (account, { by: who, ...wish }) => administration.rename(account, wish, who)),
    post('alias-add', bodies.alias, async (account, { by: who, alias }) => administration.addAlias(account, alias, who)),
    post('alias-remove', bodies.alias, async (account, { by: who, alias }) => administration.removeAlias(account, alias, who)),
    post('group-put', bodies.group, async (group, { by: who, members }) => administration.putGroup({ address: group, members: [...new Set(members)] }, who)),
    post('group-remove', bodies.act, async (group, { by: who }) => administration.removeGroup(group, who)),
  ];
}

function read<Schema extends z.ZodType>(schema: Schema, given: unknown, what: string): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Failure('bad-input', `${what} can't be used: ${[...(issue?.path ?? []).map(String), issue?.message ?? ''].join(' ')}`);
}
