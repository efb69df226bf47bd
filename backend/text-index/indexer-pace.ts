/**
 * How the indexer makes way: while the node is busy, or somebody else wants the processor, it rests many times as long as it works. Priorities alone don't do it: caches,
 * memory and disks are shared, and one that is low has its part all the same.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { waitedForProcessorMs } from './making-way.ts';

/** Of the node, as the worker sees it that hears of all changes. */
export type NodeLoad = 'calm' | 'busy';

/** Work that goes on without a look at who else wants something. */
const workMs = 20;
/** While others want something it works a tenth of the time. */
const restsPerWork = 9;
/** Of that time: whoever waited for more of it was not alone. */
const waitedPart = 0.25;
/** Joining large segments is one piece of work of many seconds. */
const longestRestMs = 60_000;

export class Pace {
  /** May change at any time. */
  load: NodeLoad = 'calm';
  readonly #signal: AbortSignal;
  readonly #waitedMs: () => number;
  #since: { readonly ms: number; readonly waitedMs: number };

  /** @param waitedMs how long this process has waited for a processor, ever */
  constructor(signal: AbortSignal, waitedMs: () => number = waitedForProcessorMs) {
    this.#signal = signal;
    this.#waitedMs = waitedMs;
    this.#since = { ms: performance.now(), waitedMs: waitedMs() };
  }

  /** To be called after each small piece of work; returns early when the signal comes. */
  async rest(): Promise<void> {
    const passedMs = performance.now() - this.#since.ms;
    if (passedMs < workMs) return;
    const waitedMs = this.#waitedMs() - this.#since.waitedMs;
    if (this.load === 'calm' && waitedMs < passedMs * waitedPart) await nextTurn(); // messages are heard
    else await sleep(Math.min(Math.max(0, passedMs - waitedMs) * restsPerWork, longestRestMs), undefined, { signal: this.#signal }).catch(() => undefined); // whoever works on looks at the signal
    this.#since = { ms: performance.now(), waitedMs: this.#waitedMs() };
  }
}
