/** The steps by which a back-end keeps mailing groups for the node that was asked by an administrator, whose audit has the act. */
import { z } from 'zod';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { Failure } from '../../shared/base/failure.ts';
import { parseAddress } from '../../shared/smtp/address.ts';
import type { Storage } from '../storage/storage.ts';
import type { AccountAdministration } from './administration.ts';
import type { Done } from './administration-ground.ts';

const by = z.string().min(1).max(200);
const mostMembers = 10_000;
const address = z.string().max(320).transform((text) => text.toLowerCase()).refine((text) => parseAddress(text) !== undefined && !text.includes('"'), 'is not an address');
const bodies = { remove: z.strictObject({ by }), put: z.strictObject({ by, members: z.array(address).max(mostMembers) }) } as const;

export function groupRoutes(administration: AccountAdministration, { lives }: Pick<Storage, 'lives'>): readonly AdminRoute[] {
  const post = <Body extends z.ZodType>(what: string, body: Body, step: (address: string, given: z.output<Body>) => Promise<Done>): AdminRoute => ({
    method: 'POST', prefix: `/administration/${what}/`, allow: 'nodes', kind: 'step',
    answer: async (given, { body: sent }) => ({ status: 200, body: await step(read(address, given, 'the address'), read(body, sent, 'what is asked')) }),
  });
  return [
    { prefix: '/administration/groups', allow: 'nodes', answer: async () => Promise.resolve({ status: 200, body: { groups: lives.groups() } }) },
    post('group-put', bodies.put, async (group, { by: who, members }) => administration.putGroup({ address: group, members: [...new Set(members)] }, who)),
    post('group-remove', bodies.remove, async (group, { by: who }) => administration.removeGroup(group, who)),
  ];
}

function read<Schema extends z.ZodType>(schema: Schema, given: unknown, what: string): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Failure('bad-input', `${what} can't be used: ${[...(issue?.path ?? []).map(String), issue?.message ?? ''].join(' ')}`);
}
