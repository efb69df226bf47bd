/**
 * Looks into messages that are here not when they come, but while their pack is being written and flushed: the processor would stand still
 * then, as all who could give it something wait for that flush.
 */
import { scanPieces } from './scanned-message.ts';
import type { ScannedMessage } from './scanned-message.ts';

/** Of one process: so much is held for a later look. What comes beyond is looked into at once, or messages that wait (MULTIAPPEND brings thousands) would fill the memory. */
const mostHeldBytes = 4 * 1024 * 1024;
let heldBytes = 0;

/** The message is in these pieces, `size` bytes in all, which nobody may change until it was looked into. */
export function lookLater(pieces: readonly Buffer[], size: number): LateScan | ScannedMessage {
  return heldBytes + size > mostHeldBytes ? scanPieces(pieces) : new LateScan(pieces, size);
}

export class LateScan {
  #held: { readonly pieces: readonly Buffer[]; readonly size: number } | undefined;

  constructor(pieces: readonly Buffer[], size: number) {
    this.#held = { pieces, size };
    heldBytes += size;
  }

  /** Call it once, and not after `drop`. */
  end(): ScannedMessage {
    if (this.#held === undefined) throw new Error('the message is not held any more');
    const { pieces } = this.#held;
    this.drop();
    return scanPieces(pieces);
  }

  /** Nobody will look into it. Idempotent. */
  drop(): void {
    heldBytes -= this.#held?.size ?? 0;
    this.#held = undefined;
  }
}
