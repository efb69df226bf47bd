/** What is measured once with each server, or with servers of its own: memory of idle sessions, flushes, a slow disk. */
import type { Figures } from '../proxy/cells.ts';
import { countFlushes, measureSlowFlushes } from './flush-cells.ts';
import type { FlushEffort } from './flush-cells.ts';
import { measureIdleMemory } from './idle-memory.ts';
import type { Stage } from './stage.ts';

export interface SpecialEffort extends FlushEffort {
  readonly sessions: number;
  readonly restMs: number;
}

export interface Special {
  readonly id: string;
  readonly title: string;
  /** By server, ours first. */
  readonly measures: Readonly<Record<string, () => Promise<Figures>>>;
}

export function specials({ stores, starts }: Stage, effort: SpecialEffort): readonly Special[] {
  const memory = (['imap', 'imaps'] as const).map((leg): Special => ({
    id: leg === 'imap' ? 'memory-plain' : 'memory-tls', title: `memory: ${String(effort.sessions)} idle sessions (mailbox open, IDLE), ${leg === 'imap' ? 'without TLS' : 'TLS'}`,
    measures: Object.fromEntries(stores.map((store) => [store.name, async () => measureIdleMemory(store, { leg, ...effort })])),
  }));
  return [
    ...memory,
    { id: 'flushes', title: 'flushes for each accepted message (strace)', measures: Object.fromEntries(starts.map(({ name, start }) => [name, async () => countFlushes(start, effort)])) },
    { id: 'slow-disk', title: `each flush takes ${String(effort.delayMs)} ms longer`, measures: Object.fromEntries(starts.map(({ name, start }) => [name, async () => measureSlowFlushes(start, effort)])) },
  ];
}
