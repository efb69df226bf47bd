/** What any node can tell of accounts: from the directory, from the configuration, and by asking all back-ends. */
import type { z } from 'zod';
import { mayTouch } from '../../shared/admin-api/caller.ts';
import { handled } from '../../shared/admin-api/operation.ts';
import type { Call, Handled } from '../../shared/admin-api/operation.ts';
import { isFailure } from '../../shared/base/failure.ts';
import type { DirectoryAccess } from '../directory-access.ts';
import type { ListedEntry } from '../directory-listing.ts';
import { nodeOfMailHost } from '../effective.ts';
import type { NodeConfig } from '../effective.ts';
import { accountOperations, recordSchema } from './contract/accounts.ts';
import { askFrontends } from './nodes-asked.ts';
import { pageOf } from './paging.ts';

/** A listing of the directory serves so long for the next pages. */
const listingMs = 15_000;

export function accountHandlers(config: NodeConfig, directory: DirectoryAccess): readonly Handled[] {
  const list = remembered(async () => directory.list());
  return [
    handled(accountOperations.searchDirectory, async ({ query, caller }) => {
      const entries = (await list()).filter(({ addresses: [address = ''] }) => mayTouch(caller, address));
      const { items, total, next } = pageOf(entries, query, { key: keyOf, texts: ({ addresses }) => addresses });
      return { total, ...(next === undefined ? {} : { next }), entries: items.map((entry) => described(config, entry)) };
    }),
    handled(accountOperations.showAccount, async (call) => showAccount(config, directory, call)),
    handled(accountOperations.forgetRoute, async (call) => {
      const { answers, silent } = await askFrontends(config, call, {
        path: (node) => `/nodes/${node}/map/${encodeURIComponent(call.params.address)}/forget`, request: { method: 'POST' }, read: () => undefined,
      });
      return { frontends: answers.map(({ node }) => node), silent };
    }),
  ];
}

function keyOf({ addresses: [address = ''], dn }: ListedEntry): string {
  return `${address} ${dn}`.slice(0, 320);
}

/** One question to the directory serves all who ask soon after; sorted. */
function remembered(ask: () => Promise<readonly ListedEntry[]>): () => Promise<readonly ListedEntry[]> {
  let kept: { readonly atMs: number; readonly entries: Promise<readonly ListedEntry[]> } | undefined;
  return async () => {
    const nowMs = performance.now();
    if (kept === undefined || nowMs - kept.atMs > listingMs) {
      const entries = ask().then((all) => [...all].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)));
      const asked = { atMs: nowMs, entries };
      kept = asked;
      entries.catch(() => {
        if (kept === asked) kept = undefined; // an outage is not remembered
      });
    }
    return kept.entries;
  };
}

function described(config: NodeConfig, { addresses, dn, mailHost, needsHost, names }: ListedEntry): { address: string; addresses: string[]; dn: string; names: ListedEntry['names']; mailHost?: string; node?: string; kind: 'mailbox' | 'mail only' } {
  const node = nodeOfMailHost(config.nodes, mailHost);
  return {
    address: addresses[0] ?? '', addresses: [...addresses], dn, names, kind: needsHost === 'yes' ? 'mailbox' : 'mail only',
    ...(mailHost === undefined ? {} : { mailHost }), ...(node === undefined ? {} : { node }),
  };
}

async function showAccount(config: NodeConfig, { maps }: DirectoryAccess, { params, ask }: Pick<Call<{ address: string }>, 'params' | 'ask'>): Promise<z.input<typeof accountOperations.showAccount.answer>> {
  const entry = await maps.lookUp(params.address);
  const address = entry?.address ?? params.address;
  const backends = Object.values(config.nodes).filter(({ role }) => role === 'backend');
  const records = await Promise.all(backends.map(async ({ name }): Promise<[string, z.output<typeof recordSchema>]> => {
    try {
      return [name, recordSchema.parse(await ask(name, `/nodes/${name}/accounts/${encodeURIComponent(address)}`))];
    } catch (error) {
      if (!isFailure(error, 'backend-unavailable')) throw error;
      return [name, { at: 'silent' }];
    }
  }));
  const node = nodeOfMailHost(config.nodes, entry?.mailHost);
  const isLocal = entry === undefined ? !maps.covers(address) : entry.local !== undefined;
  return {
    address, records: Object.fromEntries(records), passwordAt: isLocal ? 'back-end' : entry === undefined ? 'nowhere' : 'directory',
    ...(entry === undefined ? {} : { directory: { dn: entry.dn, map: entry.map, mailHost: entry.mailHost, node } }),
  };
}
