/** Whose an address is that no storage of this node has: asked before an account is made from a backup. */
import { Failure } from '../../shared/base/failure.ts';
import type { UserMaps } from '../../shared/user-map/user-maps.ts';
import type { Accounts } from './accounts.ts';

export interface OwnerQuestion {
  readonly accounts: Pick<Accounts, 'lookUp' | 'nodeOf'>;
  readonly maps: Pick<UserMaps, 'covers'>;
  readonly nodeName: string;
  /** See `AccountsOptions`. */
  readonly holders: (address: string) => Promise<{ readonly holders: readonly string[] }>;
}

/**
 * Resolves when this node is to keep the account: the directory says so, or none has the address, and no other back-end has it.
 * Throws `not-kept-here` naming the node, `unknown-user` when a directory that has its domain has no entry, `directory-unavailable`.
 */
export async function demandOwnership({ accounts, maps, nodeName, holders }: OwnerQuestion, address: string): Promise<void> {
  const entry = await accounts.lookUp(address);
  if (entry === undefined && maps.covers(address)) throw new Failure('unknown-user', `the directory has no user ${address}: bring the entry back first`);
  const node = accounts.nodeOf(entry?.mailHost);
  if (entry?.mailHost !== undefined && node !== nodeName) throw new Failure('not-kept-here', `${address} is to live on ${node ?? entry.mailHost}, as the directory says: restore it there`, { node });
  const { holders: others } = await holders(address);
  if (others.length > 0) throw new Failure('not-kept-here', `${address} lives on ${others.join(', ')}: restore it there`, { node: others[0] });
}
