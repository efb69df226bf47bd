/** A user's own change of the password: at the directory that has it, or here for a local account. */
import { Failure } from '../../shared/base/failure.ts';
import type { UserMaps } from '../../shared/user-map/user-maps.ts';
import { isLocal } from './local-accounts.ts';
import type { LocalAccounts } from './local-accounts.ts';

export interface OwnChange {
  readonly old: string;
  readonly next: string;
}

/**
 * Changes it; the old one is good no more.
 * @throws Failure `bad-credentials` (the old one is wrong), `password-refused` (the directory's rules; the text says which), `forbidden`,
 *   `directory-unavailable`, and what `LocalAccounts.setPassword` throws
 */
export async function changeOwnPassword({ maps, local }: { readonly maps: UserMaps; readonly local: LocalAccounts }, address: string, { old, next }: OwnChange): Promise<void> {
  const entry = await maps.lookUp(address);
  if (isLocal(maps, entry, address)) {
    await local.login(address, old, 'client');
    await local.setPassword(address, next);
    return;
  }
  if (entry === undefined) throw new Failure('unknown-user', 'no such user');
  await maps.changePassword(entry, { kind: 'own', old }, next);
}
