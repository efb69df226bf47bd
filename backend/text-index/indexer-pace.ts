/**
 * How the indexer makes way: while the node is busy, or somebody else wants the processor, it rests many times as long as it works. Priorities alone don't do it: caches,
 * memory and disks are shared, and one that is low has its part all the same. The further it is behind, the less it rests, so that no machine is too busy for ever.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { waitedForProcessorMs } from './making-way.ts';

/** Of the node, as the worker sees it that hears of all changes. */
export type NodeLoad = 'calm' | 'busy';

/** `behind`: nobody waits for the pass; its oldest change came so long before it began. `waited-for`: somebody does, and has said when. */
export const hasteSchema = z.discriminatedUnion('is', [z.object({ is: z.literal('behind'), sinceMs: z.number().nonnegative() }), z.object({ is: z.literal('waited-for') })]);

export type Haste = z.output<typeof hasteSchema>;

/** Work that goes on without a look at who else wants something. */
const workMs = 20;
/** While others want something it works a tenth of the time. */
const restsPerWork = 9;
/** Who is so far behind does not rest any more; until then rests shrink evenly. */
const furthestBehindMs = 6 * 3_600_000;
/** Of that time: whoever waited for more of it was not alone. */
const waitedPart = 0.25;
/** Joining large segments is one piece of work of many seconds. */
const longestRestMs = 60_000;

/** What has been since the last rest. */
export interface Worked {
  readonly passedMs: number;
  /** Of these, for a processor. */
  readonly waitedMs: number;
  readonly load: NodeLoad;
}

/** How long to rest (pure), milliseconds. @param behindMs of the oldest change that the pass has not seen to; Infinity never rests */
export function restMs({ passedMs, waitedMs, load }: Worked, behindMs: number): number {
  if (load === 'calm' && waitedMs < passedMs * waitedPart) return 0;
  const rests = restsPerWork * Math.max(0, 1 - behindMs / furthestBehindMs);
  return Math.min(Math.max(0, passedMs - waitedMs) * rests, longestRestMs);
}

export class Pace {
  /** May change at any time. */
  load: NodeLoad = 'calm';
  haste: Haste = { is: 'behind', sinceMs: 0 };
  readonly #signal: AbortSignal;
  readonly #waitedMs: () => number;
  readonly #beganMs = performance.now();
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
    const forMs = restMs({ passedMs, waitedMs: this.#waitedMs() - this.#since.waitedMs, load: this.load }, this.behindMs);
    if (forMs === 0) await nextTurn(); // messages are heard
    else await sleep(forMs, undefined, { signal: this.#signal }).catch(() => undefined); // whoever works on looks at the signal
    this.#since = { ms: performance.now(), waitedMs: this.#waitedMs() };
  }

  /** See `restMs`. The lowest priority is enough where somebody waits. */
  get behindMs(): number {
    return this.haste.is === 'waited-for' ? Infinity : this.haste.sinceMs + performance.now() - this.#beganMs;
  }
}
