/**
 * An account that is taken back by the node that gave it away, because the node that it went to is gone. Its record gets an epoch beyond the
 * one that went, and remembers whom it was taken from until that node has heard: what it holds of the account is then no account any more.
 */
import { Failure } from '../../shared/base/failure.ts';
import { forgetCrossing, tombstoneOf } from './accounts-table.ts';
import { getAccount, putAccount, putLocalName } from './entries.ts';
import { keysUnder } from './environment.ts';
import { noValue } from './keys.ts';
import type { ReclaimedRecord } from './transfers.ts';
import type { Volume } from './volume.ts';

/** @throws Failure `unknown-user` when it did not go to that node, `forbidden` when the mail here is removed already */
export async function reclaimAccount(volume: Volume, address: string, from: string): Promise<number> {
  const { id, epoch } = await volume.environment.write(() => {
    const entry = getAccount(volume.tables, address);
    if (entry?.movedTo !== from) throw new Failure('unknown-user', `this node did not give ${address} to ${from}`);
    if (entry.left === undefined || entry.left.mail === 'removed') throw new Failure('forbidden', `the mail of ${address} here was removed after the move: restore it from a backup`);
    const { movedTo: _gone, left: _left, hold: _hold, ...live } = entry;
    const next = { ...live, epoch: entry.epoch + 1, reclaimed: { from } };
    putAccount(volume.tables, next);
    volume.tables.arriving.put([address], noValue);
    for (const alias of live.aliases ?? []) putLocalName(volume.tables, alias, { kind: 'alias', account: address });
    return next;
  });
  volume.hints.publish({ account: id });
  return epoch;
}

/** Those whose former node has not heard of it yet. */
export function reclaimedRecords({ environment, tables }: Volume): ReclaimedRecord[] {
  return environment.read(() => tables.arriving.range(keysUnder([])).flatMap(({ key }): ReclaimedRecord[] => {
    const entry = getAccount(tables, String(key[0]));
    return entry?.reclaimed === undefined ? [] : [{ address: entry.address, epoch: entry.epoch, from: entry.reclaimed.from }];
  }));
}

/** That node has heard. */
export async function settleReclaimed(volume: Volume, address: string): Promise<void> {
  await forgetCrossing(volume, address, 'reclaimed');
}

/** At the node that was gone: what it has is older, and becomes a tombstone; its mail stays on disk. */
export async function yieldAccount(volume: Volume, address: string, to: { readonly node: string; readonly epoch: number }): Promise<'yielded' | 'nothing'> {
  const id = await volume.environment.write(() => {
    const entry = getAccount(volume.tables, address);
    if (entry === undefined || entry.movedTo !== undefined || entry.epoch >= to.epoch) return undefined;
    putAccount(volume.tables, tombstoneOf(entry, to));
    volume.tables.arriving.remove([address]);
    return entry.id;
  });
  if (id === undefined) return 'nothing';
  volume.hints.publish({ account: id });
  return 'yielded';
}
