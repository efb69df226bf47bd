/**
 * The lock of an environment's writers: a record in the index itself, so that all processes obey it from the commit on that
 * brings it, and none is stuck when the one who locked dies: it ends by itself at the time that it names.
 */
import { Failure } from '../../shared/base/failure.ts';
import type { Table } from './environment.ts';

/** What became of a lock that is taken off: it held all the time, it had ended by itself before, or there was none. */
export type LockEnd = 'held' | 'ended' | 'none';

/** How long a writer waits before it is refused; clients wait that long for an answer. */
const patienceMs = 30_000;
const lookAgainMs = 50;
const lockKey = ['writers'];

/** Until when writers wait, milliseconds since 1970; 0 when nobody has locked. In `read` or `write`. */
export function lockedUntil(table: Table): number {
  return table.get(lockKey)?.readDoubleLE(0) ?? 0;
}

/** Inside `write`. */
export function putLock(table: Table, untilMs: number): void {
  const value = Buffer.alloc(8);
  value.writeDoubleLE(untilMs);
  table.put(lockKey, value);
}

/** Inside `write`. */
export function removeLock(table: Table): LockEnd {
  const untilMs = lockedUntil(table);
  table.remove(lockKey);
  if (untilMs === 0) return 'none';
  return untilMs > Date.now() ? 'held' : 'ended';
}

/** How one writer waits for the end of a lock: its patience begins when this is made, so that who had to wait for others before does not wait as long again. */
export class LockWait {
  readonly #untilMs: number;

  constructor(forMs = patienceMs) {
    this.#untilMs = performance.now() + forMs;
  }

  /** Resolves when it is time to look again. Throws `in-use` when the writer has waited long enough. */
  async pause(): Promise<void> {
    if (performance.now() > this.#untilMs) throw new Failure('in-use', 'the storage is locked for a backup, try again in a moment');
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
  }
}
