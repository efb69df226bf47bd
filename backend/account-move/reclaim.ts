/**
 * Takes an account back that was given to a node which is gone for good after the seal. Two copies could be written if that node
 * lived: so it must be silent, the operator says that it is stopped, and when it ever comes back it gives up what it has before it serves anybody.
 */
import { z } from 'zod';
import type { AdminTarget } from '../../shared/admin/admin-client.ts';
import { callNode } from '../../shared/admin/admin-call.ts';
import type { AdminRoute } from '../../shared/admin/admin-server.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import type { Storage } from '../storage/storage.ts';
import type { AccountMovesOptions, HostChange } from './move-job.ts';
import { recordSchema } from './source.ts';

const askMs = 5000;
/** A node that starts does not wait longer for those that may have taken accounts back. */
const startPatienceMs = 2000;
const reclaimedSchema = z.object({ accounts: z.array(z.object({ address: z.string(), epoch: z.number() })) });
const yieldSchema = z.strictObject({ node: z.string().min(1).max(64), epoch: z.number().int() });

export interface Reclaimed {
  readonly epoch: number;
  readonly directory: HostChange | 'no such entry';
}

/** @param from the node that is gone. @throws Failure `in-use` when it answers, or another node has the account; `unknown-user`, `forbidden`, `backend-unavailable` */
export async function reclaimAccount(options: AccountMovesOptions, address: string, from: string): Promise<Reclaimed> {
  const { storage, others, log, nodeName } = options;
  const here = storage.find(address);
  if (here.at !== 'moved' || here.node !== from) throw new Failure('unknown-user', `${nodeName} did not give ${address} to ${from}`);
  for (const [node, target] of Object.entries(others)) {
    const record = await recordAt(target, address).catch((error: unknown) => {
      if (!isFailure(error, 'backend-unavailable')) throw error;
      if (node !== from) throw new Failure('backend-unavailable', `${node} must say that it does not have ${address}, and does not answer`);
      return undefined;
    });
    if (node === from && record !== undefined) throw new Failure('in-use', `${from} answers: run "waybill account move ${address} ${from}" again, which finishes the move; then move it back`);
    if (record?.at === 'live') throw new Failure('in-use', `${node} owns ${address}`);
  }
  const epoch = await storage.transfers.leaving.reclaim(address, from);
  log.error({ alert: 'account-reclaimed', account: address, from, epoch }, `the account was taken back from ${from}, which is gone: what came to it there since the move is not here`);
  const entry = await options.lookUp(address);
  return { epoch, directory: entry === undefined ? 'no such entry' : await options.setHost(entry, nodeName) };
}

async function recordAt(target: AdminTarget, address: string): Promise<z.output<typeof recordSchema>> {
  return recordSchema.parse(await callNode(target, { path: `/moves/record/${encodeURIComponent(address)}`, silenceMs: askMs }));
}

/** What other nodes ask, and tell, of accounts that were taken back. */
export function reclaimRoutes({ transfers }: Pick<Storage, 'transfers'>): readonly AdminRoute[] {
  return [
    {
      prefix: '/moves/reclaimed/', allow: 'backends',
      answer: async (node) => Promise.resolve({ status: 200, body: { accounts: transfers.leaving.reclaimed().filter(({ from }) => from === node).map(({ address, epoch }) => ({ address, epoch })) } }),
    },
    {
      method: 'POST', kind: 'step', prefix: '/moves/yield/', allow: 'backends',
      answer: async (address, { body }) => ({ status: 200, body: { outcome: await transfers.arriving.yield(address.toLowerCase(), yieldSchema.parse(body)) } }),
    },
  ];
}

/** Before this node serves anybody: accounts that others have taken back from it meanwhile are theirs. */
export async function yieldReclaimed({ storage, others, log, nodeName }: Pick<AccountMovesOptions, 'storage' | 'others' | 'log' | 'nodeName'>): Promise<void> {
  await Promise.all(Object.entries(others).map(async ([node, target]) => {
    try {
      const { accounts } = reclaimedSchema.parse(await callNode(target, { path: `/moves/reclaimed/${encodeURIComponent(nodeName)}`, silenceMs: startPatienceMs }));
      for (const { address, epoch } of accounts) {
        if (await storage.transfers.arriving.yield(address, { node, epoch }) === 'yielded') log.error({ alert: 'account-yielded', account: address, node, epoch }, `${node} has taken the account back while this node was away; what lies here of it is kept on disk`);
      }
    } catch (error) {
      if (!isFailure(error, 'backend-unavailable')) throw error; // it tells this node itself when it comes
    }
  }));
}

/** Tells nodes that come back what was taken from them; until they have heard, it is tried again. */
export async function tellReclaimed({ storage, others, nodeName }: Pick<AccountMovesOptions, 'storage' | 'others' | 'nodeName'>): Promise<void> {
  for (const { address, epoch, from } of storage.transfers.leaving.reclaimed()) {
    const target = others[from];
    if (target === undefined) continue; // it is no node of the cluster any more, and may not ask
    try {
      await callNode(target, { path: `/moves/yield/${encodeURIComponent(address)}`, body: { node: nodeName, epoch }, silenceMs: askMs });
      await storage.transfers.leaving.settleReclaimed(address);
    } catch (error) {
      if (!isFailure(error)) throw error;
    }
  }
}
