/** `waybill audit`: what administrators did, from all nodes, the newest last. */
import { z } from 'zod';
import { auditEntrySchema } from '../admin/contract/audit.ts';
import { nodeSchema } from '../admin/contract/nodes.ts';
import { openApi } from './api-client.ts';
import type { ApiClient, ApiOptions } from './api-client.ts';
import type { NodesText } from './ask-nodes.ts';
import { table } from './table.ts';
import { UsageError } from './usage-error.ts';

const nodesSchema = z.object({ nodes: z.array(nodeSchema) });
const answerSchema = z.object({ entries: z.array(auditEntrySchema) });
type Entry = z.output<typeof auditEntrySchema>;

/** @param address only acts on this account. @throws UsageError */
export async function auditText(address: string | undefined, options: ApiOptions & { readonly limit: string; readonly json?: boolean }): Promise<NodesText> {
  const api = await openApi(options);
  const { nodes } = nodesSchema.parse(await api.ask('/nodes'));
  const query = new URLSearchParams({ limit: options.limit, ...(address === undefined ? {} : { address }) }).toString();
  const complaints: string[] = [];
  const lists = await Promise.all(nodes.map(async ({ name }): Promise<readonly Entry[]> => {
    try {
      return answerSchema.parse(await api.ask(`/nodes/${name}/audit?${query}`)).entries;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      complaints.push(`${name}: ${error.message}`);
      return [];
    }
  }));
  const found = [...lists.flat(), ...await keptWith(api, address, complaints)];
  const entries = [...new Map(found.map((entry) => [`${entry.node} ${entry.reference}`, entry])).values()].sort((one, other) => (one.time < other.time ? -1 : 1)).slice(-Number(options.limit));
  if (options.json === true) return { text: JSON.stringify(entries, null, 2), complaints };
  const rows = entries.map(({ time, node, who, from, what, facts, result }) => [time, node, who, from, what, result, Object.entries(facts).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`).join(' ')]);
  return { text: entries.length === 0 ? 'nothing' : table([['TIME', 'NODE', 'WHO', 'FROM', 'WHAT', 'RESULT', 'FACTS'], ...rows]), complaints };
}

/** An account has what was done to it, also where the node that did it is away or had no disk. */
async function keptWith(api: ApiClient, address: string | undefined, complaints: string[]): Promise<readonly Entry[]> {
  if (address === undefined) return [];
  try {
    return answerSchema.parse(await api.ask(`/accounts/${encodeURIComponent(address)}/audit`)).entries;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    complaints.push(`${address}: ${error.message}`);
    return [];
  }
}
