/** What back-ends say of an address, for commands on a node's machine that act on many accounts. */
import { z } from 'zod';
import { callNode } from '../../shared/admin/admin-call.ts';
import { isFailure } from '../../shared/base/failure.ts';
import type { ClusterView } from './cluster-view.ts';

const recordSchema = z.object({ at: z.enum(['live', 'moved', 'arriving', 'withdrawn', 'none']), node: z.string().optional(), left: z.string().optional() });
export type NodeRecord = z.output<typeof recordSchema>;

const askMs = 5000;

/** By back-end; `silent` where one does not answer. */
export async function recordsOf(view: ClusterView, address: string): Promise<Readonly<Record<string, NodeRecord | 'silent'>>> {
  return Object.fromEntries(await Promise.all(view.backends.map(async (node): Promise<[string, NodeRecord | 'silent']> => {
    try {
      return [node, recordSchema.parse(await callNode(view.target(node), { path: `/moves/record/${encodeURIComponent(address)}`, silenceMs: askMs }))];
    } catch (error) {
      if (isFailure(error, 'backend-unavailable')) return [node, 'silent'];
      throw error;
    }
  })));
}
