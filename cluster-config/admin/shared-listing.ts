/** Listings of the whole directory for the admin API: who asks while one is under way gets the same, so that no more than one is at any time. */
import type { DirectoryAccess } from '../directory-access.ts';
import type { ListedEntry } from '../directory-listing.ts';

export function sharedListing(directory: Pick<DirectoryAccess, 'list'>): () => Promise<readonly ListedEntry[]> {
  let running: Promise<readonly ListedEntry[]> | undefined;
  return async () => {
    const mine = running ?? directory.list().finally(() => { running = undefined; });
    running = mine;
    return mine;
  };
}
