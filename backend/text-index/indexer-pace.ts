/** How the indexer makes way: while the node is busy it rests many times as long as it works. Priorities alone don't do it: caches, memory and disks are shared. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** Of the node, as the worker sees it that hears of all changes. */
export type NodeLoad = 'calm' | 'busy';

/** Work that goes on without a look at who else wants something. */
const workMs = 20;
/** While the node is busy it works a tenth of the time. */
const restsPerWork = 9;
/** Joining large segments is one piece of work of many seconds. */
const longestRestMs = 60_000;

export class Pace {
  /** May change at any time. */
  load: NodeLoad = 'calm';
  readonly #signal: AbortSignal;
  #sinceMs = performance.now();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** To be called after each small piece of work; returns early when the signal comes. */
  async rest(): Promise<void> {
    const workedMs = performance.now() - this.#sinceMs;
    if (workedMs < workMs) return;
    if (this.load === 'calm') await nextTurn(); // messages are heard
    else await sleep(Math.min(workedMs * restsPerWork, longestRestMs), undefined, { signal: this.#signal }).catch(() => undefined); // whoever works on looks at the signal
    this.#sinceMs = performance.now();
  }
}
