/** Every try of a delivery is counted and logged: who was tried where, and how it ended. */
import type { Logger } from '../../shared/log/log.ts';
import { countTry } from './queue-counters.ts';
import type { Destination, QueueItem, QueueRecipient } from './queue-item.ts';
import type { TryOutcome } from './try-outcome.ts';

export interface Tries {
  readonly item: QueueItem;
  readonly destination: Destination;
  readonly recipients: readonly QueueRecipient[];
  /** In the order of the recipients. */
  readonly outcomes: readonly TryOutcome[];
}

export function tellOutcomes(log: Logger, { item, destination, recipients, outcomes }: Tries): void {
  for (const [index, outcome] of outcomes.entries()) {
    const recipient = recipients[index];
    countTry(destination, outcome.at, recipient?.tries ?? 0);
    log.info({ item: item.id, destination, recipient: recipient?.address, outcome: outcome.at, ...traceOf(outcome) }, 'delivery tried');
  }
}

/** What the log tells of an outcome: the words of who decided, and who that was. */
function traceOf(outcome: TryOutcome): object {
  if (outcome.at === 'moved') return { to: outcome.destination };
  if (outcome.at === 'expanded') return { into: outcome.into.slice(0, 20).map(({ address }) => address), addresses: outcome.into.length };
  return { reply: outcome.words.text, remote: outcome.words.remote };
}
