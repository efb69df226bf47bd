/**
 * Bytes that wait to be written to a file, in blocks of memory that are used again: large buffers made for each message and thrown away
 * would let the collector run all the time, and the system bring in fresh pages for them.
 */

/** Holds many messages that come together, or one of those that wait for their end in memory. */
const blockBytes = 1024 * 1024;
/** Kept for the next; the collector has those beyond. */
const mostFree = 8;

const free: Buffer[] = [];

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

  /** What waits, which then waits no more. Each piece is to be given back by `giveBack` when nobody looks at it any more. */
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
  return length > blockBytes ? Buffer.allocUnsafeSlow(length) : (free.pop() ?? Buffer.allocUnsafeSlow(blockBytes));
}

function keep(memory: Buffer): void {
  if (memory.length === blockBytes && free.length < mostFree) free.push(memory);
}
