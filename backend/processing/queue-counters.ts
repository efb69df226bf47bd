/** What the queue counts: how much waits and for how long, tries of delivery and how they ended, reports to senders. */
import { counter, gauge } from '../../shared/metrics/metrics.ts';
import { isOutside } from './queue-item.ts';
import type { Destination } from './queue-item.ts';
import type { QueueStore } from './queue-store.ts';

const size = gauge({ name: 'waybill_processing_queue_size', help: 'Messages in the queue (100000 at most are counted).', combine: 'max' });
const age = gauge({ name: 'waybill_processing_queue_oldest_seconds', unit: 'seconds', help: 'Age of the oldest message in the queue.', combine: 'max' });
const tries = counter({ name: 'waybill_processing_delivery', help: 'Tries to deliver a message of the queue to one recipient: into an account here, to another node, or outside.', labels: ['way', 'outcome'] });
const direct = counter({ name: 'waybill_processing_direct_delivery', help: 'Messages stored in an account at once, without the queue.', labels: ['outcome'] });
const retries = counter({ name: 'waybill_processing_retry', help: 'Tries after the first of a recipient.' });
const reports = counter({ name: 'waybill_processing_report', help: 'Reports to senders (bounces, delays, deliveries).', labels: ['action'] });
const unreachable = counter({ name: 'waybill_processing_destination_unreachable', help: 'Ways out of the queue that could not be opened.', labels: ['way'] });

const mostCounted = 100_000;

type Way = 'local' | 'node' | 'outside';

function wayOf(destination: Destination): Way {
  if (destination === 'ours') return 'local';
  return isOutside(destination) ? 'outside' : 'node';
}

export function countTry(destination: Destination, outcome: string, earlierTries: number): void {
  tries.add({ way: wayOf(destination), outcome });
  if (earlierTries > 0) retries.add({});
}

export function countUnreachable(destination: Destination): void {
  unreachable.add({ way: wayOf(destination) });
}

export function countReports(actions: readonly string[]): void {
  for (const action of actions) reports.add({ action });
}

export function countDirect(outcome: 'stored' | 'failed'): void {
  direct.add({ outcome });
}

/** Sets what is read of the queue. For the worker that has the runner. */
export function measureQueue(store: QueueStore): void {
  size.set({}, store.waiting(mostCounted));
  const [oldest] = store.list({ from: '', limit: 1 });
  age.set({}, oldest === undefined ? 0 : Math.max(0, Date.now() - oldest.acceptedAtMs) / 1000);
}

/** Another worker has the runner now. */
export function forgetQueue(): void {
  size.set({}, 0);
  age.set({}, 0);
}
