/** How `waybill node drain` reaches the cluster: from a node's machine, over the admin APIs of the nodes, or from elsewhere as an administrator. */
import { Failure } from '../../shared/base/failure.ts';
import { accountOperations } from '../admin/contract/accounts.ts';
import { nodeOperations } from '../admin/contract/nodes.ts';
import { nodeOfMailHost } from '../effective.ts';
import type { Overview } from '../map-findings.ts';
import { recordsOf } from './account-records.ts';
import { Refused } from './api-client.ts';
import type { ApiClient } from './api-client.ts';
import { pagesOf } from './api-pages.ts';
import { overviewAt } from './cluster-view.ts';
import type { ClusterView } from './cluster-view.ts';
import { followMove } from './follow-move.ts';
import { followMoveByApi } from './follow-move-api.ts';
import { UsageError } from './usage-error.ts';

/** What a back-end says of an account, as far as draining has to know; `silent`: it does not answer. */
export type Holding = 'silent' | { readonly at: string };

export interface DrainRoad {
  readonly backends: readonly string[];
  /** What a back-end holds. @throws Failure('backend-unavailable') */
  overview(node: string): Promise<Pick<Overview, 'live' | 'arriving'>>;
  /** By back-end. */
  records(address: string): Promise<Readonly<Record<string, Holding>>>;
  /** Users whom the directory names for the node. */
  named(node: string): Promise<readonly string[]>;
  /** Resolves when the account lives there. @throws Failure of the move */
  move(address: string, to: string, left: 'keep' | 'purge'): Promise<{ readonly byHand: string | undefined }>;
}

export function nodesRoad(view: ClusterView): DrainRoad {
  return {
    backends: view.backends,
    overview: async (node) => overviewAt(view, node),
    records: async (address) => recordsOf(view, address),
    named: async (wanted) => {
      const entries = await view.directory.list();
      return entries.filter(({ mailHost }) => nodeOfMailHost(view.config.nodes, mailHost) === wanted).flatMap(({ addresses }) => addresses.slice(0, 1));
    },
    move: async (address, to, left) => followMove({ address, target: view.target(to), wish: 'move', purge: left === 'purge' }, () => undefined),
  };
}

export async function apiRoad(api: ApiClient): Promise<DrainRoad> {
  const { nodes } = nodeOperations.listNodes.answer.parse(await api.ask('/nodes'));
  return {
    backends: nodes.filter(({ role }) => role === 'backend').map(({ name }) => name).toSorted(),
    overview: async (node) => overviewBy(api, node),
    records: async (address) => {
      const { records } = accountOperations.showAccount.answer.parse(await api.ask(`/accounts/${encodeURIComponent(address)}`));
      return Object.fromEntries(Object.entries(records).map(([node, { at }]) => [node, at === 'silent' ? at : { at }]));
    },
    named: async (wanted) => {
      const addresses: string[] = [];
      const pages = pagesOf(async (query) => accountOperations.searchDirectory.answer.parse(await api.ask(`/directory?${query}`)));
      for await (const { entries } of pages) for (const { address, node } of entries) if (node === wanted) addresses.push(address);
      return addresses;
    },
    move: async (address, node, left) => asFailures(async () => followMoveByApi({ address, node, wish: 'move', purge: left === 'purge' }, api, () => undefined)),
  };
}

async function overviewBy(api: ApiClient, node: string): Promise<Pick<Overview, 'live' | 'arriving'>> {
  const live: string[] = [];
  const arriving: Overview['arriving'] = [];
  const pages = pagesOf(async (query) => asFailures(async () => accountOperations.listHoldings.answer.parse(await api.ask(`/nodes/${encodeURIComponent(node)}/holdings?${query}`))));
  for await (const page of pages) {
    for (const address of page.live) live.push(address);
    arriving.push(...page.arriving);
  }
  return { live, arriving };
}

/** Refusals as what they are about; who is not let in is told so at once. */
async function asFailures<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    if (!(error instanceof Refused)) throw new Failure('backend-unavailable', error.message);
    if (error.status === 401 || error.status === 403) throw error;
    throw new Failure(error.kind === 'backend-unavailable' ? error.kind : 'bad-input', error.message);
  }
}
