/** Which way leads to a destination of the queue. */
import type { Logger } from '../../shared/log/log.ts';
import type { KeyRules } from './delivery-keys.ts';
import { openNodeLane, openOutsideLane, redirectLane } from './lanes.ts';
import type { Lane, LaneOptions } from './lanes.ts';
import type { OutsideKeys } from './outside-keys.ts';
import { OwnLane } from './own-lane.ts';
import type { AccountsView } from './own-lane.ts';
import type { Destination, QueueItem } from './queue-item.ts';
import { RetriedLane } from './retried-lane.ts';
import { delayAfter, delayByAge } from './retry-schedule.ts';
import type { RetryOptions } from './retry-schedule.ts';

export type LaneGround = Pick<LaneOptions, 'nodeName' | 'hostName' | 'sending' | 'lmtpOf' | 'handOverTimeoutMs' | 'bytesOf'> & {
  readonly accounts: AccountsView;
  readonly rules: KeyRules;
  readonly isOurDomain: (domain: string) => boolean;
  readonly keys: OutsideKeys;
  readonly retry: RetryOptions;
  readonly log: Logger;
};

/** Opens ways whose lines are cut by the signal. What it makes rejects when a destination can't be reached. */
export function laneOpener(ground: LaneGround): (destination: Destination, signal: AbortSignal) => Promise<Lane> {
  const { accounts, rules, isOurDomain, log, retry, keys, lmtpOf } = ground;
  const startedAtMs = Date.now();
  // Only what was accepted before this start can have been sent again elsewhere while the node was down.
  const waitsForSilent = ({ acceptedAtMs }: QueueItem): boolean => acceptedAtMs < startedAtMs && Date.now() < startedAtMs + retry.silentNodesMs;
  return async (destination, signal) => {
    const lanes = laneOptions(ground, signal);
    if (destination === 'ours') return new OwnLane({ accounts, rules, isOurDomain, lanes, log });
    if (!destination.startsWith('node:')) return new RetriedLane(await openOutsideLane(destination, lanes), { keys, waitsForSilent, outageDueAtMs: lanes.outageDueAtMs });
    const node = destination.slice('node:'.length);
    const target = lmtpOf(node);
    if (target !== undefined) return openNodeLane(node, target, lanes);
    // The node has left the configuration: the user map says who keeps the mailbox now.
    return redirectLane(() => ({ at: 'moved', destination: 'ours', dueAtMs: lanes.outageDueAtMs() }));
  };
}

function laneOptions({ nodeName, hostName, sending, lmtpOf, handOverTimeoutMs, bytesOf, retry }: LaneGround, signal: AbortSignal): LaneOptions {
  return {
    nodeName, hostName, sending, lmtpOf, handOverTimeoutMs, bytesOf, signal,
    outageDueAtMs: () => Date.now() + delayAfter(retry.outage, 1, retry.jitter),
    movedDueAtMs: () => Date.now() + delayAfter(retry.moved, 1, retry.jitter),
    heldDueAtMs: ({ acceptedAtMs }) => Date.now() + delayByAge(retry.moved, Date.now() - acceptedAtMs, retry.jitter),
  };
}
