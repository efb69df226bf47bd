/**
 * Gives the memory of V8's young generation back when a worker has little to do. V8 lets it grow to 128 MB under load and keeps it: its own
 * memory reducer looks at the old generation only, and later. Which pages idle sessions lie on is then what a session costs.
 */
import { performance } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * Of V8, for a process that is to give back: without them it keeps what it has. At rest the young generation stays at twice 8 MB: growing again from 1 MB
 * when work comes takes many small collections, each of which moves to the old generation what would have been garbage soon.
 */
export const givingBackFlags: readonly string[] = ['--expose-gc', '--min-semi-space-size=8'];

/** A collection takes processor time (0.2 s for a live heap of 75 MB), and who begins to work again after it needs more than before for some seconds. */
const lookEveryMs = 30_000;
/** At rest is who worked in less than this share of the time since the look before. */
const restBelow = 0.1;
/** Half as much again as stays. */
const leastYoungBytes = 24 * 1024 * 1024;
/** What a collection costs grows with the heap, so must what it gains. */
const leastShareOfHeap = 1 / 8;

/** Begins to look; the answer ends it. */
export function watchRest(every: { readonly lookMs: number } = { lookMs: lookEveryMs }): () => void {
  const collect = globalThis.gc;
  if (collect === undefined) return () => undefined;
  let before = performance.eventLoopUtilization();
  const look = (): void => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (utilization < restBelow && isWorthIt()) giveBack(collect);
  };
  const timer = setInterval(look, every.lookMs).unref();
  return () => clearInterval(timer);
}

function isWorthIt(): boolean {
  let young = 0;
  let used = 0;
  for (const { space_name: name, physical_space_size: physical, space_used_size: inUse } of getHeapSpaceStatistics()) {
    if (name === 'new_space') young = physical;
    used += inUse;
  }
  return young >= Math.max(leastYoungBytes, used * leastShareOfHeap);
}

/**
 * A full collection that returns free pages at once holds everything up for 0.4 s at 75 MB. So only that of the young generation is run here; after it V8 asks whether it is time to
 * mark the whole heap, and is told so: it marks beside the program and in small steps, as always, and because it is to save memory just now, gives back what is free.
 * Should V8 leave that one day, a small collection is all that happens.
 */
function giveBack(collect: NodeJS.GCFunction): void {
  for (const flag of ['memory-saver-mode', 'stress-incremental-marking']) setFlagsFromString(`--${flag}`);
  try {
    collect({ type: 'minor' });
  } finally {
    for (const flag of ['memory-saver-mode', 'stress-incremental-marking']) setFlagsFromString(`--no-${flag}`);
  }
}
