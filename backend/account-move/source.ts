/** The node that an account leaves, as the node where it arrives sees it: over the admin API, or directly in tests. */
import { Agent } from 'node:https';
import { z } from 'zod';
import { callNode, streamFromNode } from '../../shared/admin/admin-call.ts';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import type { MovingAcceptance } from '../processing/processing.ts';
import type { AccountSnapshot, ChangesPage } from '../storage/storage.ts';
import { decodeMessages } from './message-stream.ts';
import type { StreamedMessage } from './message-stream.ts';

/** What a node says of an address. */
export const recordSchema = z.discriminatedUnion('at', [
  z.object({ at: z.literal('live'), id: z.string(), epoch: z.number(), standing: z.enum(['live', 'held', 'barred', 'gone', 'away']), messages: z.number(), bytes: z.number() }),
  z.object({ at: z.literal('moved'), node: z.string(), epoch: z.number(), left: z.enum(['none', 'unverified', 'verified']) }),
  z.object({ at: z.literal('arriving'), node: z.string(), epoch: z.number(), stage: z.enum(['copying', 'ready']), worker: z.enum(['alive', 'gone']) }),
  z.object({ at: z.literal('withdrawn'), why: z.enum(['deleted', 'vanished']), atMs: z.number() }),
  z.object({ at: z.literal('none') }),
]);
export type NodeRecord = z.output<typeof recordSchema>;

/** Where one message lies, and what it is. */
export interface MessageDigest {
  readonly mailboxId: string;
  readonly uid: number;
  readonly digest: string;
}

export interface MoveSource {
  readonly node: string;
  record(address: string): Promise<NodeRecord>;
  snapshot(address: string): Promise<AccountSnapshot>;
  changes(address: string, mailbox: number, since: number): Promise<ChangesPage>;
  messages(address: string, ids: readonly number[]): AsyncIterable<StreamedMessage>;
  fingerprint(address: string): Promise<string>;
  acceptances(address: string): Promise<readonly MovingAcceptance[]>;
  hold(address: string, token: string, forMs: number): Promise<void>;
  release(address: string, token: string): Promise<void>;
  seal(address: string, seal: { readonly token: string; readonly node: string; readonly epoch: number }): Promise<void>;
  /** Of every message, read from the disk of that node. */
  digests(address: string): AsyncIterable<MessageDigest>;
  /** Every message was compared; `purge` removes the mail there at once. */
  verified(address: string, verified: { readonly epoch: number; readonly purge: boolean }): Promise<void>;
  close(): void;
}

/** How long the other node may be silent. */
const silenceMs = 20_000;

/** The real one. */
export function remoteSource(node: string, target: AdminTarget): MoveSource {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const path = (what: string, address: string, query = ''): string => `/moves/${what}/${encodeURIComponent(address)}${query}`;
  const get = async (where: string): Promise<unknown> => callNode(target, { path: where, silenceMs, agent });
  const post = async (where: string, body: object): Promise<void> => void await callNode(target, { path: where, body, silenceMs, agent });
  return {
    node,
    record: async (address) => recordSchema.parse(await get(path('record', address))),
    // What follows comes from a node of the cluster with a certificate of its own, and is checked by fingerprint.
    snapshot: async (address) => (await get(path('snapshot', address))) as AccountSnapshot,
    changes: async (address, mailbox, since) => (await get(path('changes', address, `?mailbox=${String(mailbox)}&since=${String(since)}`))) as ChangesPage,
    messages: (address, ids) => decodeMessages(streamFromNode(target, { path: path('messages', address), body: { ids }, silenceMs, agent })),
    fingerprint: async (address) => z.string().parse(await get(path('fingerprint', address))),
    acceptances: async (address) => (await get(path('acceptances', address))) as readonly MovingAcceptance[],
    hold: async (address, token, forMs) => post(path('hold', address), { token, forMs }),
    release: async (address, token) => post(path('release', address), { token }),
    seal: async (address, seal) => post(path('seal', address), seal),
    digests: (address) => digestLines(streamFromNode(target, { path: path('digests', address), silenceMs, agent })),
    verified: async (address, verified) => post(path('verified', address), verified),
    close: () => agent.destroy(),
  };
}

const digestSchema = z.object({ mailboxId: z.string(), uid: z.number(), digest: z.string() });
/** The last line: without it the list is not whole. */
const endSchema = z.object({ end: z.literal(true) });

async function* digestLines(source: AsyncIterable<Buffer>): AsyncGenerator<MessageDigest, void, void> {
  let text = '';
  let whole = false;
  for await (const piece of source) {
    const lines = (text + piece.toString('latin1')).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      const value: unknown = JSON.parse(line);
      if (endSchema.safeParse(value).success) whole = true;
      else yield digestSchema.parse(value);
    }
  }
  if (!whole) throw new Error('the list of digests ends early');
}
