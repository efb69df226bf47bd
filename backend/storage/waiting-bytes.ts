/**
 * Bytes that wait to be written to a file, in blocks of memory that are used again: large buffers made for each message and thrown away
 * would let the collector run all the time, and the system bring in fresh pages for them.
 */

/** Holds many messages that come together, or one of those that wait for their end in memory. */
const blockBytes = 1024 * 1024;
/** Of one process. What waits beyond is in memory that is about as much as it takes: many big messages at once would have a block each for a chunk. */
const mostBlocks = 8;
/** At least, so that small messages don't have a write each. */
const leastBytes = 64 * 1024;

const free: Buffer[] = [];
let made = 0;

interface Block {
  readonly memory: Buffer;
  used: number;
}

export class WaitingBytes {
  #blocks: Block[] = [];

  /** Room for the next bytes, to be filled in the same turn of the event loop. */
  reserve(length: number): Buffer {
    let block = this.#blocks.at(-1);
    if (block === undefined || block.used + length > block.memory.length) {
      block = { memory: memoryFor(length), used: 0 };
      this.#blocks.push(block);
    }
    const room = block.memory.subarray(block.used, block.used + length);
    block.used += length;
    return room;
  }

  /** What waits, which then waits no more. Each piece is to be given back by `giveBack` when nobody looks at it any more, once. */
  take(): readonly WaitingPiece[] {
    const taken = this.#blocks;
    this.#blocks = [];
    return taken.map(({ memory, used }) => ({ bytes: memory.subarray(0, used), giveBack: () => keep(memory) }));
  }
}

export interface WaitingPiece {
  readonly bytes: Buffer;
  readonly giveBack: () => void;
}

function memoryFor(length: number): Buffer {
  if (length <= blockBytes) {
    const again = free.pop();
    if (again !== undefined) return again;
    if (made < mostBlocks) {
      made += 1;
      return Buffer.allocUnsafeSlow(blockBytes);
    }
  }
  return Buffer.allocUnsafeSlow(Math.max(length, leastBytes));
}

function keep(memory: Buffer): void {
  if (memory.length === blockBytes && free.length < mostBlocks) free.push(memory);
}
