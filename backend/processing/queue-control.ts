/**
 * What administrators do with single messages of the queue, from any worker of the node: try now, hold, release, return,
 * delete. Who gives up a message first takes it off the list of what is due (holds it), then waits until the runner has nothing
 * of it under way, and only then concludes: so nobody hears of a failure who got the message.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../shared/base/failure.ts';
import type { ItemMaker } from './new-item.ts';
import { makeReports } from './new-item.ts';
import type { QueueItem, QueueRecipient } from './queue-item.ts';
import type { QueueStore } from './queue-store.ts';
import type { RetryOptions } from './retry-schedule.ts';
import type { RunnerLine } from './runner-line.ts';
import { conclude } from './try-outcome.ts';
import type { TryOutcome } from './try-outcome.ts';

export interface QueueControl {
  /** Undefined: there is no such item. */
  get(id: string): QueueItem | undefined;
  /** The first bytes of a message as its client sent it. */
  beginning(item: QueueItem): Promise<Buffer>;
  /** Each answers those whom it concerned; undefined when the item is not there. */
  retry(id: string): Promise<Concerned>;
  hold(id: string): Promise<Concerned>;
  release(id: string): Promise<Concerned>;
  /** @param reason what the sender's report says. @throws Failure('in-use') while it is being delivered */
  bounce(id: string, reason: string): Promise<Concerned>;
  /** @throws Failure('in-use') while it is being delivered */
  remove(id: string): Promise<Concerned>;
}

export type Concerned = readonly QueueRecipient[] | undefined;

const headerBytes = 64 * 1024;
/** A delivery that takes longer goes its way; the administrator is told. */
const patienceMs = 10_000;
const lookAgainMs = 50;

export function createQueueControl(options: { readonly store: QueueStore; readonly maker: ItemMaker; readonly retry: RetryOptions; readonly line: RunnerLine }): QueueControl {
  const { store, line, maker, retry } = options;
  const get = (id: string): QueueItem | undefined => store.read(() => store.get(id));
  const change = async (id: string, how: (item: QueueItem) => QueueItem): Promise<Concerned> => {
    const item = get(id);
    if (item === undefined) return undefined;
    await store.change(id, how);
    return waitingOf(item);
  };
  const wake = async (concerned: Concerned): Promise<Concerned> => {
    await line.wake((concerned ?? []).map(({ destination }) => destination));
    return concerned;
  };
  const giveUp = async (id: string, conclusion: (item: QueueItem) => Promise<void>): Promise<Concerned> => {
    const wasHeld = get(id)?.held === 'yes';
    await store.change(id, (item) => ({ ...item, held: 'yes' }));
    try {
      await quiet(line, id);
      const item = get(id);
      if (item === undefined) return undefined;
      await conclusion(item);
      return waitingOf(item);
    } catch (error) {
      if (!wasHeld) await store.change(id, free);
      throw error;
    }
  };
  return {
    get,
    beginning: async (item) => store.firstBytes(item, Math.min(headerBytes, item.place.length)),
    hold: async (id) => change(id, (item) => ({ ...item, held: 'yes' })),
    release: async (id) => wake(await change(id, free)),
    retry: async (id) => wake(await change(id, (item) => dueNow(free(item), Date.now()))),
    bounce: async (id, reason) => giveUp(id, async (item) => {
      const outcome: TryOutcome = { at: 'refused', permanent: 'yes', words: { status: '5.7.0', text: reason, isReply: false, remote: undefined } };
      const outcomes = new Map(item.recipients.flatMap(({ state }, index): [number, TryOutcome][] => (state.at === 'waiting' && state.why !== 'amend' ? [[index, outcome]] : [])));
      const made = await makeReports(maker, item, conclude(item, outcomes, { retry, nowMs: Date.now() }).reports);
      try {
        await store.change(id, (fresh) => finished(conclude(fresh, outcomes, { retry, nowMs: Date.now() }).item), made.items);
      } finally {
        made.done();
      }
      await line.wake(['ours']);
    }),
    remove: async (id) => giveUp(id, async () => store.change(id, finished)),
  };
}

function waitingOf(item: QueueItem): readonly QueueRecipient[] {
  return item.recipients.filter(({ state }) => state.at === 'waiting');
}

async function quiet(line: RunnerLine, id: string): Promise<void> {
  const untilMs = performance.now() + patienceMs;
  while (await line.isUnderWay(id)) {
    if (performance.now() > untilMs) throw new Failure('in-use', 'the message is being delivered just now');
    await sleep(lookAgainMs);
  }
}

function free({ held: _held, ...item }: QueueItem): QueueItem {
  return item;
}

function dueNow(item: QueueItem, nowMs: number): QueueItem {
  return { ...item, recipients: item.recipients.map((recipient) => (recipient.state.at === 'waiting' ? { ...recipient, state: { ...recipient.state, dueAtMs: nowMs } } : recipient)) };
}

/** Nothing is left to do, whatever its client still says. */
function finished(item: QueueItem): QueueItem {
  return {
    ...item, confirmation: item.confirmation === 'open' ? 'loose' : item.confirmation,
    recipients: item.recipients.map((recipient) => (recipient.state.at === 'waiting' ? { ...recipient, state: { at: 'finished', told: undefined } } : recipient)),
  };
}
