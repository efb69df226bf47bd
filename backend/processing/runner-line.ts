/** From any worker of a node to the one that has the queue's runner. */
import { askAll } from '../../shared/service/siblings.ts';
import type { Siblings } from '../../shared/service/siblings.ts';
import type { Destination } from './queue-item.ts';

/** Whoever runs the queue, in this worker or another. */
export interface RunnerLine {
  /** These destinations are to be asked now, whatever is remembered of them. */
  wake(destinations: readonly Destination[]): Promise<void>;
  /** Whether something of the item is being delivered. @throws Failure('timed-out') when whoever runs the queue may be busy and does not say */
  isUnderWay(id: string): Promise<boolean>;
}

const wakeTopic = 'queue: try now';
const underWayTopic = 'queue: under way';

/** @param here what this worker does when it is the one */
export function runnerLine(siblings: Siblings, here: { readonly tryNow: (destinations: readonly Destination[]) => void; readonly isUnderWay: (id: string) => boolean }): RunnerLine {
  siblings.answer(wakeTopic, (destinations) => {
    here.tryNow(Array.isArray(destinations) ? destinations.map(String) : []);
    return null;
  });
  siblings.answer(underWayTopic, (id) => here.isUnderWay(String(id)));
  return {
    wake: async (destinations) => void await siblings.ask(wakeTopic, [...new Set(destinations)]),
    isUnderWay: async (id) => (await askAll(siblings, underWayTopic, id)).includes(true),
  };
}
