/** The account of an address that was proven without a password (by a token, by a certificate). */
import type { UserMaps } from '../../shared/user-map/user-maps.ts';
import type { Mapping } from '../mapping/mapping.ts';
import type { AuthenticatedUser } from './verdict.ts';

export interface VerifiedUserRoad {
  readonly mapping: Pick<Mapping, 'lookUp'>;
  readonly maps: Pick<UserMaps, 'mayLogIn'>;
}

/** Undefined for an address that nobody has, or by which nobody may log in: that of a group, one that a catch-all takes. */
export async function verifiedUser({ mapping, maps }: VerifiedUserRoad, name: string): Promise<AuthenticatedUser | undefined> {
  const answer = await mapping.lookUp(name, { fresh: 'yes' });
  if (answer.kind !== 'found' || answer.entry === undefined || !maps.mayLogIn(answer.entry)) return undefined;
  return { address: answer.address, entry: answer.entry, route: answer.route };
}
