/** The account of an address that was proven without a password (by a token, by a certificate). */
import type { UserMaps } from '../../shared/user-map/user-maps.ts';
import type { Mapping } from '../mapping/mapping.ts';
import type { AuthenticatedUser } from './verdict.ts';

export interface VerifiedUserRoad {
  readonly mapping: Pick<Mapping, 'lookUp'>;
  readonly maps: Pick<UserMaps, 'mayLogIn' | 'covers'>;
}

/**
 * Undefined for an address that nobody has, or by which nobody may log in: that of a group, one that a catch-all takes. Of a
 * domain without map only the default back-end knows who is there (`Authentication.logIn` hears of it).
 */
export async function verifiedUser({ mapping, maps }: VerifiedUserRoad, name: string): Promise<AuthenticatedUser | undefined> {
  const answer = await mapping.lookUp(name, { fresh: 'yes' });
  if (answer.kind !== 'found') return undefined;
  if (answer.entry === undefined ? maps.covers(answer.address) || answer.route.kind !== 'node' : !maps.mayLogIn(answer.entry)) return undefined;
  return { address: answer.address, entry: answer.entry, route: answer.route };
}
