/** Reading for who looks at many messages, one after the other: what lies behind one is read along, more and more while that pays. */
import type { PackReader } from './pack-reader.ts';
import type { PackPlace, Series, SeriesMemory } from './packs.ts';

const leastBytes = 16 * 1024;
const mostBytes = 256 * 1024;
const nothing = { pack: -1, from: 0, bytes: Buffer.alloc(0) } as const;

export class PackSeries implements Series {
  readonly #reader: PackReader;
  readonly #memory: SeriesMemory;
  #chunk: { readonly pack: number; readonly from: number; readonly bytes: Buffer } = nothing;
  #room: Buffer = nothing.bytes;
  #ahead = leastBytes;

  constructor(reader: PackReader, memory: SeriesMemory) {
    this.#reader = reader;
    this.#memory = memory;
  }

  /** As `Packs.read`. The buffer shares its memory with others: it is not to be changed, nor kept for long, nor beyond the next read where memory is used again. */
  async read(place: PackPlace, offset: number, length: number): Promise<Buffer> {
    const from = Math.min(Math.max(offset, 0), place.length);
    const to = Math.min(Math.max(offset + length, from), place.length);
    const [start, end] = [place.offset + from, place.offset + to];
    if (end - start > mostBytes) return this.#reader.read(place.pack, start, end - start);
    if (!this.#has(place.pack, start, end)) await this.#readAhead(place.pack, start, end - start);
    if (!this.#has(place.pack, start, end)) return this.#reader.read(place.pack, start, end - start); // tells what is wrong
    return this.#chunk.bytes.subarray(start - this.#chunk.from, end - this.#chunk.from);
  }

  atHand({ pack, offset, length }: PackPlace): Buffer | undefined {
    const { from, bytes } = this.#chunk;
    return this.#has(pack, offset, offset + length) ? bytes.subarray(offset - from, offset + length - from) : undefined;
  }

  #has(pack: number, start: number, end: number): boolean {
    const { from, bytes } = this.#chunk;
    return pack === this.#chunk.pack && start >= from && end <= from + bytes.length;
  }

  async #readAhead(pack: number, from: number, length: number): Promise<void> {
    const distance = from - (this.#chunk.from + this.#chunk.bytes.length);
    const goesOn = pack === this.#chunk.pack && Math.abs(distance) <= this.#ahead;
    this.#ahead = goesOn ? Math.min(2 * this.#ahead, mostBytes) : leastBytes;
    this.#chunk = nothing; // its memory is written to from now on
    this.#chunk = { pack, from, bytes: await this.#reader.readInto(pack, from, this.#roomFor(Math.max(length, this.#ahead))) };
  }

  #roomFor(length: number): Buffer {
    if (this.#memory === 'own') return Buffer.allocUnsafeSlow(length);
    if (this.#room.length < length) this.#room = Buffer.allocUnsafeSlow(length);
    return this.#room.subarray(0, length);
  }
}
