/** A storage that was attached: of this node it is opened as any other, one of another node of the cluster becomes this node's. */
import { keysUnder } from './environment.ts';
import { changeOwner, demandCluster } from './directory-record.ts';
import { putAccount } from './entries.ts';
import type { AccountEntry } from './entries.ts';
import { asUnsettled } from './unsettled-accounts.ts';
import type { Volume } from './volume.ts';

/**
 * Whose its accounts are has to be settled when it was another node's: that one may have made or moved them since. Only then is the storage
 * this node's; cut off before, it happens once more. Throws `in-use` for a storage of another cluster, `storage-failure`.
 */
export async function adoptDirectory({ environment, tables }: Volume, directory: string, owner: { readonly cluster: string; readonly node: string }): Promise<void> {
  const { node } = demandCluster(directory, owner.cluster);
  if (node === owner.node) return;
  await environment.write(() => {
    for (const { value } of tables.accounts.range(keysUnder([]))) {
      const entry = JSON.parse(value.toString()) as AccountEntry;
      if (entry.movedTo === undefined && entry.arriving === undefined) putAccount(tables, asUnsettled(entry));
    }
  });
  changeOwner(directory, owner.node);
}
