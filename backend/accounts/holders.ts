/** Asks the other back-ends of the cluster whether they hold mail of an address, before an account is made here. */
import { z } from 'zod';
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
  /** Of these, by name, whom their directory names: `nobody`, or absent where they can't say. */
  readonly named: ReadonlyMap<string, string>;
  /** Who has it in a storage that is taken out for the time being. */
  readonly away: readonly string[];
  readonly silent: readonly string[];
}

/** Asks all given nodes at once. Never rejects: a node that is down is `silent`. */
export async function askHolders(nodes: Readonly<Record<string, AdminTarget>>, address: string): Promise<Holders> {
  const answers = await Promise.all(Object.entries(nodes).map(async ([node, target]) => ({ node, ...await askHolder(target, address) })));
  const saying = (wanted: Holding['kind']): string[] => answers.filter(({ kind }) => kind === wanted).map(({ node }) => node);
  const unsettled = saying('unsettled');
  const named = new Map(answers.flatMap(({ node, names }) => (names === undefined ? [] : [[node, names] as const])));
  return { holders: [...saying('live'), ...unsettled], unsettled, named, away: saying('away'), silent: saying('silent') };
}

/** What one node says; `names` is whom its directory names, where that matters. */
interface Holding {
  readonly kind: 'live' | 'unsettled' | 'away' | 'other' | 'silent';
  readonly names?: string | undefined;
}

const answerSchema = z.object({ at: z.string(), settled: z.literal('no').optional(), names: z.string().optional() });

async function askHolder(target: AdminTarget, address: string): Promise<Holding> {
  try {
    const { at, settled, names } = answerSchema.parse(await askNode(target, `${prefix}${encodeURIComponent(address)}`, patienceMs));
    if (settled === 'no') return { kind: 'unsettled', names };
    // What is on its way to a node will be owned by it, if it isn't yet.
    return { kind: at === 'live' || at === 'arriving' ? 'live' : at === 'away' ? 'away' : 'other' };
  } catch {
    return { kind: 'silent' };
  }
}

/** Where a directory has no node for an address. */
const nobody = 'nobody';

/**
 * The other side of `askHolders`: what this node's storages say of an address, without counts or names of mailboxes.
 * @param nodeNamed the node that the directory names, if it names one; rejects where it can't be asked
 */
export function accountRoute(storage: Storage, nodeNamed: (address: string) => Promise<string | undefined>): AdminRoute {
  return {
    prefix,
    allow: 'nodes',
    answer: async (given) => {
      const address = given.toLowerCase();
      const at = recordOf(storage, address);
      if (!storage.care.isUnsettled(address)) return { status: 200, body: { at } };
      const names = await nodeNamed(address).then((node) => ({ names: node ?? nobody }), () => ({}));
      return { status: 200, body: { at, settled: 'no', ...names } };
    },
  };
}

function recordOf(storage: Storage, address: string): AccountRecord['at'] | 'away' {
  return storage.isTakenOut(address) ? 'away' : storage.find(address).at;
}
