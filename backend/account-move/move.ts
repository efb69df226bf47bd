/**
 * Moves one account from the node that owns it to this one, while it is in use. The work runs here, at the target; all that
 * must survive a crash is in the storages and in the directory, so whoever calls it again goes on from there.
 *
 *   step       what is on disk afterwards                              crash of source, target or command right after it
 *   begin      target: record "arriving" (epoch + 1), no mail          source owns. Run again: goes on. Nobody opens "arriving".
 *   copy       target: mailboxes up to a mark each                     source owns. Run again: goes on from the marks.
 *   hold       source: "held until T by token" (T some seconds away)   source owns; opens and writes wait until T at most.
 *   delta      target: the last changes                                as hold
 *   ready      target: "arriving, ready": whole and compared           as hold; the copy grows old when T passes: hold, delta again
 *   seal       source: tombstone (target, epoch), ONE transaction,     COMMITTED. Nobody owns for a moment: the target's tidying worker
 *              only if the token's hold still stands                   or the next run asks the source, sees the tombstone, activates.
 *   activate   target: live, only after the seal was seen              target owns. Front-ends come by the source's referral.
 *   directory  mailHost names the target                               as activate, without the referral
 *   verify     source: mail left behind is marked as compared          run again: compares again
 *   remove     source: mail removed (--purge, or days later)           nothing is left to do
 *
 * Two owners: the target goes live only after it saw the tombstone, and a sealed source never goes back. None for good: the
 * seal is only asked for once the target has all; it, or its next start, finishes with no more than the source's word. If the
 * answer to the seal is lost, the source is asked what it recorded; where it stays silent, the tidying worker asks on. An old seal that comes late finds
 * another token, or its hold over, and changes nothing.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { counted } from '../../shared/base/counted.ts';
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { adoptAcceptances } from '../processing/processing.ts';
import { thisProcess } from '../storage/storage.ts';
import type { Storage } from '../storage/storage.ts';
import { copyChanges } from './copy.ts';
import type { Tell } from './progress.ts';
import type { MoveSource } from './source.ts';

export interface Move {
  readonly address: string;
  readonly source: MoveSource;
  /** Where it goes: this node. */
  readonly node: string;
  readonly storage: Storage;
  /** The longest time for which nobody can open the account. */
  readonly holdMs: number;
  readonly tell: Tell;
}

/** A pass that brings no more than this is short enough for a hold. */
const smallDelta = 50;
const mostPasses = 20;
const mostHolds = 5;
/** How often, and for how long, the source is asked what it recorded of a seal whose answer was lost. */
const askAgainMs = 500;
const asks = 20;

/** Resolves when this node owns the account. Throws what made it stop; the account then is where it was, or goes on when called again. */
export async function bringAccount(move: Move): Promise<void> {
  const { address, source, node, storage, tell } = move;
  const { arriving } = storage.transfers;
  const record = await source.record(address);
  const sealed = record.at === 'moved' && record.node === node;
  if (!sealed && record.at !== 'live') throw new Failure('unknown-user', `${source.node} does not own ${address}`);
  const { id } = await source.snapshot(address);
  const epoch = sealed ? record.epoch : Math.max(record.epoch, epochHere(storage, address)) + 1;
  await arriving.begin(address, { from: source.node, id, epoch, holder: thisProcess() });
  tell('begin', `${address} goes from ${source.node} to ${node}, epoch ${String(epoch)}`);
  if (sealed) await finishDelta(move);
  else await copyAndSeal(move, epoch);
  await arriving.activate(address);
  tell('activate', `${node} owns ${address}`);
}

/** A record of ours has an epoch too: a tombstone, or what an earlier try left. */
function epochHere(storage: Storage, address: string): number {
  const record = storage.find(address);
  if (record.at === 'arriving') return record.epoch - 1;
  return record.at === 'moved' ? record.epoch : 0;
}

async function copyAndSeal(move: Move, epoch: number): Promise<void> {
  await copyInUse(move);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await holdAndSeal(move, epoch);
      return;
    } catch (error) {
      // `timed-out`: the delta took longer than the hold, and is shorter now. `in-use`: another node's hold, which ends.
      if (!(isFailure(error, 'timed-out') || isFailure(error, 'in-use')) || attempt >= mostHolds) throw error;
      if (error.kind === 'in-use') await sleep(move.holdMs);
    }
  }
}

/** Passes until little is left; each is shorter than the one before, unless mail comes faster than it is copied. */
async function copyInUse({ address, source, storage, tell }: Move): Promise<void> {
  let copied = 0;
  for (let pass = 1; pass <= mostPasses; pass += 1) {
    const changes = await copyChanges({
      source, address, arriving: storage.transfers.arriving,
      onRows: (rows) => {
        copied += rows;
        tell('copy', `${counted(copied, 'message')} copied`);
      },
    });
    if (changes <= smallDelta) break;
  }
  await copyAcceptances({ address, source, storage }); // so that few are left to be copied while the account is held
}

/** What is remembered of deliveries: the new owner is to know a repeated one as such. Calling it again brings what has changed. */
export async function copyAcceptances({ address, source, storage }: Pick<Move, 'address' | 'source' | 'storage'>): Promise<void> {
  const acceptances = await source.acceptances(address);
  for (const records of storage.deliveryRecords()) await adoptAcceptances(records, acceptances);
}

async function holdAndSeal(move: Move, epoch: number): Promise<void> {
  const { address, source, node, tell, holdMs } = move;
  const token = `${node}/${randomUUID()}`;
  const heldFromMs = performance.now();
  try {
    await source.hold(address, token, holdMs);
    tell('hold', `held for ${String(holdMs / 1000)} s at most`);
    await finishDelta(move);
    tell('seal', `${source.node} is asked to give it away`);
    await seal(move, { token, node, epoch });
  } catch (error) {
    await source.release(address, token).catch((second: unknown) => {
      if (!isFailure(second)) throw second; // a hold that can't be ended ends by itself
    });
    // Copy and original differ because the hold was over before they were compared.
    if (isFailure(error, 'storage-failure') && performance.now() - heldFromMs >= holdMs) throw new Failure('timed-out', 'the last delta took longer than the hold', { cause: error });
    throw error;
  }
}

/** The last changes, everything that is no mail, and the comparison; the source must stand still. */
async function finishDelta({ address, source, storage, tell }: Move): Promise<void> {
  const { arriving } = storage.transfers;
  const changes = await copyChanges({ source, address, arriving, onRows: () => undefined });
  tell('delta', `${String(changes)} last changes copied`);
  await copyAcceptances({ address, source, storage });
  await arriving.complete(address, await source.snapshot(address));
  if ((await source.fingerprint(address)) !== arriving.fingerprint(address)) throw new Failure('storage-failure', `the copy of ${address} differs from the original; nothing was moved`);
  tell('ready', 'the copy is whole');
}

/** Resolves when the source has recorded it, also when its answer was lost. */
async function seal({ address, source, node }: Move, given: { readonly token: string; readonly node: string; readonly epoch: number }): Promise<void> {
  try {
    await source.seal(address, given);
    return;
  } catch (error) {
    if (!isFailure(error, 'backend-unavailable')) throw error;
  }
  for (let ask = 0; ask < asks; ask += 1) {
    try {
      const record = await source.record(address);
      if (record.at === 'moved' && record.node === node && record.epoch === given.epoch) return;
      // What may still be under way finds the hold ended.
      await source.release(address, given.token);
      const settled = await source.record(address);
      if (settled.at === 'live') throw new Failure('timed-out', 'the seal did not come through');
    } catch (error) {
      if (!isFailure(error, 'backend-unavailable')) throw error;
    }
    await sleep(askAgainMs);
  }
  throw new Failure('backend-unavailable', 'the other node does not say whether it gave the account away; this node asks on');
}
