/**
 * Looks into messages that are here not when they come, but while their pack is being written and flushed: the processor would stand still
 * then, as all who could give it something wait for that flush.
 */
import { MessageScanner } from '../../shared/mime/scan.ts';
import type { MessageStructure } from '../../shared/mime/structure.ts';

/** Of one process: so much is held for a later look. What comes beyond is looked into at once, or messages that wait (MULTIAPPEND brings thousands) would fill the memory. */
const mostHeldBytes = 4 * 1024 * 1024;
let heldBytes = 0;

/** What was found in the bytes of a message. */
export interface Scanned {
  readonly structure: MessageStructure;
  /** See `KeptStructure`. */
  readonly fields: Buffer | undefined;
}

/** The message is in these pieces, `size` bytes in all, which nobody may change until it was looked into. */
export function lookLater(pieces: readonly Buffer[], size: number): LateScan | Scanned {
  return heldBytes + size > mostHeldBytes ? scan(pieces) : new LateScan(pieces, size);
}

export class LateScan {
  #held: { readonly pieces: readonly Buffer[]; readonly size: number } | undefined;

  constructor(pieces: readonly Buffer[], size: number) {
    this.#held = { pieces, size };
    heldBytes += size;
  }

  /** Call it once, and not after `drop`. */
  end(): Scanned {
    if (this.#held === undefined) throw new Error('the message is not held any more');
    const { pieces } = this.#held;
    this.drop();
    return scan(pieces);
  }

  /** Nobody will look into it. Idempotent. */
  drop(): void {
    heldBytes -= this.#held?.size ?? 0;
    this.#held = undefined;
  }
}

function scan(pieces: readonly Buffer[]): Scanned {
  const scanner = new MessageScanner();
  for (const piece of pieces) scanner.write(piece);
  return { structure: scanner.end(), fields: scanner.keptFields };
}
