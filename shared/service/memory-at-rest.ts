/**
 * Gives the memory of V8's young generation back when a worker has little to do. V8 lets it grow to 128 MB under load and keeps it: its own
 * memory reducer looks at the old generation only, and later. Which pages idle sessions lie on is then what a session costs.
 */
import { performance } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Of V8, for a process that is to give back: without them it keeps what it has. */
export const givingBackFlags: readonly string[] = ['--expose-gc'];

const lookEveryMs = 2000;
/** At rest is who worked in less than this share of the time since the look before. */
const restBelow = 0.1;
/** A collection takes processor time (0.2 s for a live heap of 75 MB): never more often, whatever comes and goes. */
const leastPauseMs = 10_000;
const leastYoungBytes = 8 * 1024 * 1024;
/** What a collection costs grows with the heap, so must what it gains. */
const leastShareOfHeap = 1 / 8;

/** Begins to look; the answer ends it. */
export function watchRest(every: { readonly lookMs: number } = { lookMs: lookEveryMs }): () => void {
  const collect = globalThis.gc;
  if (collect === undefined) return () => undefined;
  let before = performance.eventLoopUtilization();
  let notBeforeMs = 0;
  const look = (): void => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (utilization >= restBelow || performance.now() < notBeforeMs || !isWorthIt()) return;
    notBeforeMs = performance.now() + leastPauseMs;
    giveBack(collect);
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
