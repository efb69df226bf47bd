/** The segments that a process has open: the most used ones, and of their lists those that were read lately, within a bound on memory. */
import { LRUCache } from 'lru-cache';
import { ListCache } from './list-cache.ts';
import { Segment } from './segment-file.ts';

/** So much of the memory is for lists; the rest for directories. */
const listsPart = 1 / 4;

export class SegmentCache {
  readonly #segments: LRUCache<string, Segment>;
  readonly #lists: ListCache;
  readonly #opening = new Map<string, Promise<Segment>>();

  constructor(memoryBytes: number) {
    const directoryBytes = Math.ceil(memoryBytes * (1 - listsPart));
    this.#lists = new ListCache(memoryBytes - directoryBytes);
    this.#segments = new LRUCache<string, Segment>({
      maxSize: directoryBytes,
      maxEntrySize: Number.MAX_SAFE_INTEGER,
      sizeCalculation: ({ memoryBytes: bytes }) => Math.min(bytes, directoryBytes), // one that is larger has the cache for itself
      dispose: (segment) => void segment.close().catch(() => undefined), // nothing was written by it
    });
  }

  /** Throws DamagedIndex, or the system's error. */
  async open(path: string): Promise<Segment> {
    const known = this.#segments.get(path);
    if (known !== undefined) return known;
    const opening = this.#opening.get(path) ?? this.#read(path);
    this.#opening.set(path, opening);
    return opening;
  }

  /** Those that were read are not valid any more. */
  forget(path: string): void {
    this.#segments.delete(path);
    this.#opening.delete(path);
  }

  /** Closes all below that folder, those that are being opened as soon as they are open. */
  forgetBelow(folder: string): void {
    for (const path of [...this.#segments.keys(), ...this.#opening.keys()]) if (path.startsWith(`${folder}/`)) this.forget(path);
  }

  close(): void {
    this.#segments.clear();
    this.#opening.clear();
  }

  #read(path: string): Promise<Segment> {
    const opening = Segment.open(path, this.#lists.forSegment()).then(
      async (segment) => {
        if (this.#opening.get(path) === opening) this.#segments.set(path, segment);
        else await segment.close(); // it was forgotten meanwhile: who waits for it can't read it, as one that is closed in use
        return segment;
      },
    ).finally(() => {
      if (this.#opening.get(path) === opening) this.#opening.delete(path);
    });
    return opening;
  }
}
