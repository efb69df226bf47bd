/** What the acts of administrators on accounts stand on: what they need, what they answer, and whether an address is free. */
import type { DirectoryChange, UserChange } from '../../cluster-config/directory-changes.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { UserEntry, UserMaps } from '../../shared/user-map/user-maps.ts';
import type { Storage } from '../storage/storage.ts';
import type { Accounts } from './accounts.ts';
import { isLocal } from './local-accounts.ts';

export interface AdministrationOptions {
  readonly storage: Storage;
  readonly accounts: Pick<Accounts, 'open'>;
  readonly maps: Pick<UserMaps, 'lookUp' | 'covers'>;
  readonly changeUser: (entry: Pick<UserEntry, 'dn' | 'map'>, change: UserChange) => Promise<DirectoryChange>;
  /** Whether a domain's mail is ours. */
  readonly isOurs: (domain: string) => boolean;
  readonly log: Logger;
}

/** What is to be told of an act that was done. */
export interface Done {
  /** What an administrator should know beside: where something is kept, what stays. */
  readonly notes: readonly string[];
  /** The directory is still to be changed, by hand. */
  readonly ldif?: string | undefined;
}

/** What came of changes in a directory, in words. */
export function doneBy(results: readonly (DirectoryChange | undefined)[]): Done {
  const ldif = results.flatMap((result) => (result?.kind === 'by-hand' ? [result.ldif] : [])).join('\n');
  const notes = results.flatMap((result) => (result?.kind === 'no-place' ? [`kept with the mailbox, not in the directory: ${result.why}`] : []));
  return { notes: [...new Set(notes)], ...(ldif === '' ? {} : { ldif }) };
}

/** @throws Failure `mailbox-exists`, `forbidden` when a directory has the addresses of the domain, `foreign-domain` */
export async function requireNewAddress({ maps, isOurs, storage }: AdministrationOptions, address: string): Promise<void> {
  if (!isOurs(address.slice(address.lastIndexOf('@') + 1))) throw new Failure('foreign-domain', `the domain of ${address} is not ours`);
  const entry = await maps.lookUp(address);
  if (!isLocal(maps, entry, address)) throw new Failure('forbidden', `a directory has the addresses of the domain of ${address}`);
  if (entry?.local?.known === 'yes' || storage.find(address).at !== 'none') throw new Failure('mailbox-exists', `there is something with the address ${address} already`);
}

/** Whether nobody has the address, also by no alias; details and catch-all don't count. @throws Failure('directory-unavailable') */
export async function isUnused(maps: Pick<UserMaps, 'lookUp'>, address: string): Promise<boolean> {
  const entry = await maps.lookUp(address, 'also deleted');
  return entry === undefined || entry.via === 'detail' || entry.via === 'catchAll' || entry.local?.known === 'no';
}
