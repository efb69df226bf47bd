/** Lists of segments that were read and found to be as they were written: those that were asked for lately, of all segments of a process, within a bound on memory. */
import { LRUCache } from 'lru-cache';

/** What an entry takes beside its bytes. */
const entryBytes = 200;
/** Longer ones are read each time: that is little beside what is done with them. */
const longestList = 64 * 1024;
/** More than a list can lie behind. */
const positions = 2 ** 32;
/** Lists are known by one number, which has to be exact: beyond, those of other segments and places would have the same. */
const mostSegments = (Number.MAX_SAFE_INTEGER + 1) / positions;

export class ListCache {
  readonly #memoryBytes: number;
  #lists: LRUCache<number, Buffer>;
  #segments = 0;

  constructor(memoryBytes: number) {
    this.#memoryBytes = memoryBytes;
    this.#lists = this.#empty();
  }

  /** The lists of one segment, as long as it is open. */
  forSegment(): SegmentLists {
    if (this.#segments >= mostSegments) { // a process that runs for weeks opens so many: numbers begin anew, beside segments that are still open with theirs
      this.#lists = this.#empty();
      this.#segments = 0;
    }
    return new SegmentLists(this.#lists, this.#segments++);
  }

  #empty(): LRUCache<number, Buffer> {
    return new LRUCache({ maxSize: this.#memoryBytes, sizeCalculation: ({ length }) => length + entryBytes });
  }
}

export class SegmentLists {
  readonly #lists: LRUCache<number, Buffer>;
  readonly #base: number;

  constructor(lists: LRUCache<number, Buffer>, segment: number) {
    this.#lists = lists;
    this.#base = segment * positions;
  }

  /** The list that begins there. */
  get(from: number): Buffer | undefined {
    return this.#lists.get(this.#base + from);
  }

  /** Copies it: it is a piece of something larger. */
  keep(from: number, list: Buffer): void {
    if (list.length <= longestList) this.#lists.set(this.#base + from, Buffer.from(list));
  }
}
