/** What a front-end answers on its admin API. */
import { isFailure } from '../shared/base/failure.ts';
import type { AdminRoute } from '../shared/admin/admin-server.ts';
import type { MapAnswer, Mapping } from './mapping/mapping.ts';

/** What this node's mapping says of an address. */
export function adminRoutes(mapping: Mapping): readonly AdminRoute[] {
  return [
    { prefix: '/map/', allow: 'nodes', answer: async (address) => ({ status: 200, body: await describe(mapping, address) }) },
  ];
}

async function describe(mapping: Mapping, address: string): Promise<object> {
  let answer: MapAnswer;
  try {
    answer = await mapping.lookUp(address);
  } catch (error) {
    if (!isFailure(error, 'directory-unavailable')) throw error;
    return { kind: 'unavailable', reason: error.message };
  }
  if (answer.kind !== 'found') return answer;
  const { address: account, route, from, map, entry } = answer;
  return { kind: 'found', account, route, from, map, dn: entry?.dn, mailHost: entry?.mailHost };
}
