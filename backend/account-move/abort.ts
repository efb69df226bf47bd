/** Gives up a move: what has come is thrown away, as long as it is certain that the source did not give the account away. */
import { randomUUID } from 'node:crypto';
import { Failure } from '../../shared/base/failure.ts';
import { thisProcess } from '../storage/storage.ts';
import type { Storage } from '../storage/storage.ts';
import type { MoveSource } from './source.ts';

/** Longer than a seal that is under way may take. */
const holdMs = 2000;

/**
 * While the copy is not whole its record can go in one transaction: whoever works at it finds it gone, before a seal is asked
 * for. A whole copy may be about to be sealed: then this process takes the move over, ends its hold by one of its own, and looks.
 * @throws Failure('unknown-user') when nothing is on its way; `in-use` while it is being sealed; `forbidden` when it has been; `backend-unavailable` when the source can't say
 */
export async function abortMove({ address, sources, node, storage }: { readonly address: string; readonly sources: readonly MoveSource[]; readonly node: string; readonly storage: Storage }): Promise<void> {
  const { arriving } = storage.transfers;
  const record = storage.find(address);
  if (record.at !== 'arriving') throw new Failure('unknown-user', `no move of ${address} to ${node} is under way`);
  if ((await arriving.abandon(address, 'copying')) === 'gone') return;
  const holder = `${thisProcess()}:abort`; // alive as this process is, and yet not a move that runs in it
  const source = sources.find((each) => each.node === record.node);
  if (source === undefined) throw new Failure('backend-unavailable', `${record.node}, from where it comes, is no configured back-end any more`);
  const { id, epoch } = await source.snapshot(address);
  await arriving.begin(address, { from: record.node, id, epoch: Math.max(epoch + 1, record.epoch), holder });
  try {
    await throwAway({ address, source, node, storage });
  } finally {
    await arriving.rest(address, holder);
  }
}

async function throwAway({ address, source, node, storage }: { readonly address: string; readonly source: MoveSource; readonly node: string; readonly storage: Storage }): Promise<void> {
  const there = await source.record(address);
  if (there.at === 'moved' && there.node === node) throw new Failure('forbidden', `${source.node} has given ${address} to ${node} already: run the move again, it will be finished`);
  if (there.at === 'live') {
    const token = `${node}/${randomUUID()}`;
    await source.hold(address, token, holdMs);
    await source.release(address, token);
  }
  await storage.transfers.arriving.abandon(address, 'any');
}
