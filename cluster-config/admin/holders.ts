/**
 * Which back-end has a record of an address: an account in use or out of use, an alias, a mailing group. Acts of administrators are
 * done there, wherever they are asked for; what nobody has yet is looked for where front-ends would lead to it.
 */
import { z } from 'zod';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { DirectoryAccess } from '../directory-access.ts';
import { nodeOfMailHost } from '../effective.ts';
import type { NodeConfig } from '../effective.ts';
import { stepAt } from './node-step.ts';
import type { StepParts } from './node-step.ts';
import { fromEach } from './nodes-asked.ts';

const prefix = '/holdings/';
const silenceMs = 5000;
const holdingSchema = z.object({ account: z.enum(['live', 'withdrawn', 'moved', 'arriving', 'none']), name: z.enum(['alias', 'group']).optional() });
export type Holding = z.output<typeof holdingSchema>;

/** What a back-end answers to the question of the others. */
export function holdingRoute(holding: (address: string) => Holding): AdminRoute {
  return { prefix, allow: 'nodes', answer: async (address) => Promise.resolve({ status: 200, body: holding(address.toLowerCase()) }) };
}

export interface HolderParts extends StepParts {
  readonly config: NodeConfig;
  readonly directory: Pick<DirectoryAccess, 'maps'>;
}

/** @throws Failure `unknown-user`, `backend-unavailable` when a back-end that may have it is silent, `directory-unavailable` */
export async function holderOf(parts: HolderParts, address: string): Promise<string> {
  const { config, directory } = parts;
  const { found, silent } = await recordsOf(parts, address);
  const holder = found.find(({ account }) => account === 'live' || account === 'withdrawn') ?? found.find(({ name }) => name !== undefined);
  if (holder !== undefined) return holder.node;
  if (silent.length > 0) throw new Failure('backend-unavailable', `no back-end that answers has an account ${address}; no answer from ${silent.join(', ')}`);
  const entry = await directory.maps.lookUp(address, 'also deleted');
  const node = nodeOfMailHost(config.nodes, entry?.mailHost ?? config.routing.mappingHost);
  const isNobodys = entry?.dn === undefined && entry?.local?.known !== 'yes';
  if (node === undefined || entry?.via === 'catchAll' || isNobodys) throw new Failure('unknown-user', `there is no account ${address}`);
  return node;
}

/** Where front-ends will look for a new address; another node would keep it for nobody. @throws Failure('bad-input'), Failure('directory-unavailable') */
export async function homeOf({ config, directory }: Pick<HolderParts, 'config' | 'directory'>, address: string, wanted: string | undefined): Promise<string> {
  const backends = backendsOf(config);
  if (wanted !== undefined && !backends.includes(wanted)) throw new Failure('bad-input', `${wanted} is no back-end of this cluster; there are ${backends.join(', ')}`);
  const mapped = (await directory.maps.lookUp(address))?.mailHost ?? config.routing.mappingHost;
  const node = mapped === undefined ? undefined : nodeOfMailHost(config.nodes, mapped);
  if (mapped !== undefined && node === undefined) throw new Failure('bad-input', `mail of ${address} goes to ${mapped}, which is no node of this cluster`);
  if (wanted !== undefined && node !== undefined && wanted !== node) throw new Failure('bad-input', `front-ends look for ${address} on ${node}: make it there, then move it`);
  const home = wanted ?? node ?? (backends.length === 1 ? backends[0] : undefined);
  if (home === undefined) throw new Failure('bad-input', `nothing says where ${address} is to live: name a back-end, and let a user map or routing.mappingHost lead there`);
  return home;
}

export function backendsOf({ nodes }: Pick<NodeConfig, 'nodes'>): readonly string[] {
  return Object.values(nodes).filter(({ role }) => role === 'backend').map(({ name }) => name).toSorted();
}

async function recordsOf(parts: HolderParts, address: string): Promise<{ readonly found: readonly (Holding & { readonly node: string })[]; readonly silent: readonly string[] }> {
  const { answers, silent } = await fromEach(backendsOf(parts.config), async (node) => holdingSchema.parse(await stepAt(parts, node, { path: `${prefix}${encodeURIComponent(address)}`, silenceMs })));
  return { found: answers.map(({ node, answer }) => ({ ...answer, node })), silent: silent.map(({ node }) => node) };
}
