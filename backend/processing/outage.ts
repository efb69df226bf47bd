/** What follows for the mail that waits for a destination when it can't be reached, and when it is back. Pure. */
import { isFailure } from '../../shared/base/failure.ts';
import { replyLine } from '../../shared/smtp/reply.ts';
import { SmtpRefused } from '../../shared/smtp/refusal.ts';
import { wordsOfThrown } from './lanes.ts';
import { isOutside, waitingFor } from './queue-item.ts';
import type { Destination, QueueItem } from './queue-item.ts';
import type { TryOutcome } from './try-outcome.ts';

/** The same outcome for all of the item who wait for the destination. */
export function outcomesForAll(item: QueueItem, destination: Destination, outcome: TryOutcome): ReadonlyMap<number, TryOutcome> {
  return new Map(waitingFor(item, destination).map(({ index }) => [index, outcome]));
}

/** What a lane that could not be opened means for a recipient. */
export function outcomeOfThrown(thrown: unknown, { destination, dueAtMs }: { readonly destination: Destination; readonly dueAtMs: number }): TryOutcome {
  if (thrown instanceof SmtpRefused) {
    const words = { status: thrown.reply.enhanced ?? '4.0.0', text: replyLine(thrown.reply), isReply: thrown.stage !== 'routing', remote: undefined };
    // What DNS says is final; a server's greeting may be friendlier tomorrow.
    if (thrown.stage === 'routing' && !thrown.temporary) return { at: 'refused', permanent: 'yes', words };
    return isOutside(destination) ? { at: 'unreachable', words } : { at: 'outage', dueAtMs, words };
  }
  const words = wordsOfThrown(thrown);
  // An unknown node in the configuration is an outage like any other: mail is never bounced for it.
  return isOutside(destination) && isFailure(thrown) ? { at: 'unreachable', words } : { at: 'outage', dueAtMs, words };
}

/** What an outage put off is due now; the wait after a refusal is kept. */
export function released(item: QueueItem, destination: Destination, nowMs: number): QueueItem {
  const recipients = item.recipients.map((recipient) => {
    const { state } = recipient;
    const waits = recipient.destination === destination && state.at === 'waiting' && state.why === 'outage';
    return waits ? { ...recipient, state: { ...state, dueAtMs: Math.min(nowMs, state.dueAtMs) } } : recipient;
  });
  return { ...item, recipients };
}
