/** `waybill account move` and `waybill account show`: the command starts and follows, the nodes do the work. */
import { z } from 'zod';
import { callNode } from '../../shared/admin/admin-call.ts';
import { isFailure } from '../../shared/base/failure.ts';
import { nodeOfMailHost } from '../effective.ts';
import { withCluster } from './cluster-view.ts';
import type { ClusterOptions, ClusterView } from './cluster-view.ts';
import { followMove } from './follow-move.ts';
import type { FollowedEvent } from './follow-move.ts';

export interface AccountMoveOptions extends ClusterOptions {
  readonly from?: string;
  readonly purge?: boolean;
  readonly abort?: boolean;
  readonly json?: boolean;
}

/** @param say gets lines as they come. Answers the exit code: 0, or 2 when the directory is to be changed by hand. @throws Failure, UsageError */
export async function accountMove(request: { readonly address: string; readonly node: string }, options: AccountMoveOptions, say: (text: string) => void): Promise<number> {
  return withCluster(options, async (view) => {
    const address = view.complete(request.address);
    if (options.from !== undefined) view.target(options.from); // a name nobody has is told before anything begins
    const began = Date.now();
    const move = { address, target: view.target(request.node), from: options.from, purge: options.purge === true, wish: options.abort === true ? 'abort' : 'move' } as const;
    const { byHand } = await followMove(move, (event) => say(eventText(event, { began, json: options.json === true })));
    if (byHand === undefined) return 0;
    if (options.json !== true) say(`\nThe directory is to be changed by hand, for example with\n\n  ldapmodify -H URI -D WHO -W <<END\n${byHand.trimEnd()}\nEND\n\nThen run this command again, to see that all is well.`);
    return 2;
  });
}

/** One line: seconds since the start, the step, what happened. */
export function eventText(event: FollowedEvent, { began, json }: { readonly began: number; readonly json: boolean }): string {
  if (json) return JSON.stringify(event);
  return `${((event.atMs - began) / 1000).toFixed(2).padStart(8)} s  ${event.step.padEnd(10)} ${event.text}`;
}

const recordSchema = z.object({
  at: z.enum(['live', 'moved', 'arriving', 'withdrawn', 'none']),
  node: z.string().optional(), epoch: z.number().optional(), standing: z.string().optional(), left: z.string().optional(),
  why: z.string().optional(), atMs: z.number().optional(), stage: z.string().optional(), worker: z.string().optional(), messages: z.number().optional(), bytes: z.number().optional(),
});
type NodeRecord = z.output<typeof recordSchema>;

const askMs = 5000;

/** What directory and back-ends say of an address. @throws Failure, UsageError */
export async function accountShowText(given: string, options: ClusterOptions & { readonly json?: boolean }): Promise<string> {
  return withCluster(options, async (view) => {
    const entry = await view.directory.maps.lookUp(view.complete(given));
    const address = entry?.address ?? view.complete(given);
    const named = nodeOfMailHost(view.config.nodes, entry?.mailHost);
    const records = await recordsOf(view, address);
    if (options.json === true) return JSON.stringify({ address, directory: entry === undefined ? null : { dn: entry.dn, map: entry.map, mailHost: entry.mailHost, node: named }, records });
    const directory = entry === undefined ? 'no such entry' : `${entry.mailHost ?? 'no host'}${named === undefined ? ' (no node of this cluster)' : ''}, ${entry.dn ?? `a line of the map ${entry.map}`}`;
    const rows = [['address', address], ['directory', directory], ...Object.entries(records).map(([node, record]) => [node, recordText(record)])];
    return rows.map(([name = '', text = '']) => `${name.padEnd(10)} ${text}`).join('\n');
  });
}

/** By back-end; undefined where one does not answer. */
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

function standingText(standing: string | undefined): string {
  if (standing === 'held') return '; held for the end of a move';
  return standing === 'barred' ? '; disabled' : '';
}

function recordText(record: NodeRecord | 'silent'): string {
  if (record === 'silent') return 'does not answer';
  const epoch = `epoch ${String(record.epoch)}`;
  if (record.at === 'live') return `owns it (${epoch}): ${String(record.messages)} messages, ${String(record.bytes)} bytes${standingText(record.standing)}`;
  if (record.at === 'moved') return `gave it to ${record.node ?? '?'} (${epoch})${record.left === 'none' ? '' : `; its mail lies here still, ${record.left ?? ''}`}`;
  if (record.at === 'arriving') return `takes it over from ${record.node ?? '?'} (${epoch}, ${record.stage ?? ''})${record.worker === 'gone' ? '; nobody works at it: run the move again' : ''}`;
  if (record.at === 'withdrawn') return `keeps its mail, out of use since ${new Date(record.atMs ?? 0).toISOString()}: ${record.why === 'deleted' ? 'deleted' : 'its directory entry is gone'}`;
  return 'nothing';
}
