/** Asks the other back-ends of the cluster whether they hold mail of an address, before an account is made here. */
import { askNode } from '../../shared/admin/admin-client.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import type { AccountRecord, Storage } from '../storage/storage.ts';

/** How long an account's first use may wait for nodes that don't answer. */
const patienceMs = 2000;
const prefix = '/accounts/';

/** Who says that it holds a live record, and who did not say anything. */
export interface Holders {
  readonly holders: readonly string[];
  /** Of these, who does not know yet whether the account is its own. */
  readonly unsettled: readonly string[];
  /** Who has it in a storage that is taken out for the time being. */
  readonly away: readonly string[];
  readonly silent: readonly string[];
}

/** Asks all given nodes at once. Never rejects: a node that is down is `silent`. */
export async function askHolders(nodes: Readonly<Record<string, AdminTarget>>, address: string): Promise<Holders> {
  const answers = await Promise.all(
    Object.entries(nodes).map(async ([node, target]): Promise<readonly [node: string, answer: 'live' | 'unsettled' | 'away' | 'other' | 'silent']> => {
      try {
        const answer = await askNode(target, `${prefix}${encodeURIComponent(address)}`, patienceMs);
        // What is on its way to a node will be owned by it, if it isn't yet.
        const at = typeof answer === 'object' && answer !== null && 'at' in answer ? answer.at : undefined;
        if (typeof answer === 'object' && answer !== null && 'settled' in answer && answer.settled === 'no') return [node, 'unsettled'];
        return [node, at === 'live' || at === 'arriving' ? 'live' : at === 'away' ? 'away' : 'other'];
      } catch {
        return [node, 'silent'];
      }
    }),
  );
  const named = (wanted: string): string[] => answers.filter(([, answer]) => answer === wanted).map(([node]) => node);
  const unsettled = named('unsettled');
  return { holders: [...named('live'), ...unsettled], unsettled, away: named('away'), silent: named('silent') };
}

/** The other side of `askHolders`: what this node's storages say of an address, without counts or names of mailboxes. */
export function accountRoute(storage: Storage): AdminRoute {
  return {
    prefix,
    allow: 'nodes',
    answer: async (address) => Promise.resolve({ status: 200, body: { at: recordOf(storage, address.toLowerCase()), ...(storage.care.isUnsettled(address.toLowerCase()) ? { settled: 'no' } : {}) } }),
  };
}

function recordOf(storage: Storage, address: string): AccountRecord['at'] | 'away' {
  return storage.isTakenOut(address) ? 'away' : storage.find(address).at;
}
