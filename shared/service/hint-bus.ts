/** A worker's end of the hints: its own listeners hear at once, the other workers of the node through the supervisor, many hints in one message. */
import type { ChangeHint, HintBus } from './service.ts';

/** So long hints wait for others, milliseconds: a message to the supervisor, and one to each worker, costs as much as what they tell of. */
const gatherMs = 5;
/** Where much is going on a worker sends no more often, milliseconds: those who watch a mailbox see no difference, and others have the processor. */
const pauseMs = 50;

export interface WorkerHints extends HintBus {
  /** From other workers. */
  receive(hints: readonly ChangeHint[]): void;
  /** What waits still. */
  sendNow(): void;
}

export function hintBus(send: (hints: readonly ChangeHint[]) => void): WorkerHints {
  const listeners = new Set<(hint: ChangeHint) => void>();
  /** One for each mailbox or account, however often it changed. */
  const news = new Map<string, ChangeHint>();
  let sentAtMs = -pauseMs;
  let departure: NodeJS.Timeout | undefined;
  const sendNow = (): void => {
    clearTimeout(departure);
    departure = undefined;
    if (news.size === 0) return;
    sentAtMs = performance.now();
    const hints = [...news.values()];
    news.clear();
    send(hints);
  };
  const receive = (hints: readonly ChangeHint[]): void => {
    for (const hint of hints) for (const listener of listeners) listener(hint);
  };
  return {
    receive,
    sendNow,
    publish: (hint) => {
      receive([hint]);
      const name = `${hint.account} ${String(hint.mailbox)}`;
      const waiting = news.get(name);
      news.set(name, waiting === undefined ? hint : { ...hint, changes: (waiting.changes ?? 1) + 1 });
      departure ??= setTimeout(sendNow, Math.max(gatherMs, sentAtMs + pauseMs - performance.now()));
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
