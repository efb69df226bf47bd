/** What the system can do, and tell, about a process that shall have the processors only while nobody else wants them. */
import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';

const lowestPriority = 19;

/** This process, with all its threads: Linux gives each a priority of its own, and collecting garbage and compiling are done by threads that were there before. */
export function yieldToOthers(): void {
  for (const thread of threads()) {
    try {
      setPriority(thread, lowestPriority);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error; // else a sandbox forbids it, or the thread has ended: then others wait a little
    }
  }
}

/** By number; 0 means the process. */
function threads(): number[] {
  try {
    return readdirSync('/proc/self/task').map(Number);
  } catch {
    return [0]; // not Linux
  }
}

/** How long the thread that asks was ready to work and had no processor, milliseconds since it began; always 0 where the system does not tell. */
export function waitedForProcessorMs(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[1]) / 1e6; // the second number, in nanoseconds (Linux, Documentation/scheduler/sched-stats)
  } catch {
    return 0;
  }
}
