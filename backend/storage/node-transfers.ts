/** Moves of accounts over all storages of a node: finds the storage that an address lies in, or is to lie in. */
import { Failure } from '../../shared/base/failure.ts';
import {
  abandonArrival, activateArrival, applyArrivals, arrivedMessageIds, arrivingRecords, beginArrival, cameRecords, completeArrival, finishArrival, marksOf, restArrival, shapeArrival, takeUpArrival, writeArrival,
} from './arriving-account.ts';
import { changesOf, fingerprintOf, holdAccount, leavingMessage, leftMail, leftMailOf, markLeftVerified, releaseAccount, removeLeftMail, sealAccount, snapshotOf } from './leaving-account.ts';
import { reclaimAccount, reclaimedRecords, settleReclaimed, yieldAccount } from './reclaimed-account.ts';
import { StagedArrival } from './staged-arrival.ts';
import type { Arriving, Leaving, Transfers } from './transfers.ts';
import type { Volume } from './volume.ts';

export interface Places {
  readonly volumes: readonly Volume[];
  /** The storage that has a record of the address. Throws `storage-failure` when that is taken out. */
  readonly holderOf: (address: string) => Volume | undefined;
  /** Where a new account is put. */
  readonly placeFor: (address: string) => Volume;
  /** Throws `storage-failure` when the address belongs to a storage that is taken out. */
  readonly demandHere: (address: string) => void;
}

export function createTransfers(places: Places): Transfers {
  const at = (address: string): Volume => {
    const volume = places.holderOf(address);
    if (volume === undefined) throw new Failure('unknown-user', 'no such account');
    return volume;
  };
  return { leaving: leavingSide(places, at), arriving: arrivingSide(places, at) };
}

function leavingSide(places: Places, at: (address: string) => Volume): Leaving {
  return {
    snapshot: (address) => snapshotOf(at(address), address),
    changes: (address, mailbox, range) => changesOf(at(address), address, { mailbox, ...range }),
    message: (address, messageId) => leavingMessage(at(address), messageId),
    fingerprint: (address) => fingerprintOf(at(address), address),
    hold: async (address, hold) => holdAccount(at(address), address, hold),
    release: async (address, token) => releaseAccount(at(address), address, token),
    seal: async (address, seal) => sealAccount(at(address), address, seal),
    left: () => places.volumes.flatMap(leftMail),
    leftOf: (address) => leftMailOf(at(address), address),
    markVerified: async (address, epoch) => markLeftVerified(at(address), address, epoch),
    removeLeft: async (address, epoch) => removeLeftMail(at(address), address, epoch),
    reclaim: async (address, from) => reclaimAccount(at(address), address, from),
    reclaimed: () => places.volumes.flatMap(reclaimedRecords),
    settleReclaimed: async (address) => settleReclaimed(at(address), address),
  };
}

function arrivingSide(places: Places, at: (address: string) => Volume): Arriving {
  return {
    records: () => places.volumes.flatMap(arrivingRecords),
    yield: async (address, to) => {
      const volume = places.holderOf(address);
      return volume === undefined ? 'nothing' : yieldAccount(volume, address, to);
    },
    came: () => places.volumes.flatMap(cameRecords),
    begin: async (address, move) => beginArrival(places.holderOf(address) ?? places.placeFor(address), address, move),
    rest: async (address, holder) => {
      const volume = places.holderOf(address);
      if (volume !== undefined) await restArrival(volume, address, holder);
    },
    marks: (address) => marksOf(at(address), address),
    messageIds: (address) => arrivedMessageIds(at(address), address),
    write: async (address, message) => writeArrival(at(address), address, message),
    discard: (messages) => {
      for (const message of messages) if (message instanceof StagedArrival) message.bytes.done();
    },
    shape: async (address, snapshot) => shapeArrival(at(address), address, snapshot),
    apply: async (address, arrivals) => applyArrivals(at(address), address, arrivals),
    complete: async (address, snapshot) => completeArrival(at(address), address, snapshot),
    fingerprint: (address) => fingerprintOf(at(address), address),
    activate: async (address) => activateArrival(at(address), address),
    takeUp: async (address, holder) => takeUpArrival(at(address), address, holder),
    finish: async (address) => finishArrival(at(address), address),
    abandon: async (address, stage) => abandonArrival(at(address), address, stage),
  };
}
