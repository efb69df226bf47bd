/**
 * Memory for what is read from or written to sockets, lent and used again: 64 kB of new memory for each piece cost more processor time,
 * most of it the collector's, than copying the bytes.
 */

/** So many at a time. */
export const lentLength = 65_536;
/** Kept for the next; the collector has those beyond. */
const mostFree = 8;

const free: LentBytes[] = [];

export class LentBytes {
  readonly bytes = Buffer.allocUnsafeSlow(lentLength);
  /** Nobody looks at them any more. To be called once. */
  readonly giveBack = (): void => {
    if (free.length < mostFree) free.push(this);
  };
}

/** What is in them is somebody else's, of earlier. */
export function lend(): LentBytes {
  return free.pop() ?? new LentBytes();
}
