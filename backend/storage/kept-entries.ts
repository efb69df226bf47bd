/** Decoded records of the index: those that were read lately and have the same bytes still are not decoded again. */
import { LRUCache } from 'lru-cache';

const mostKept = 4096;
/** Larger records are rare, and would fill the memory. */
const largestBytes = 4096;

export class KeptEntries<Entry> {
  readonly #kept = new LRUCache<string | number, { readonly bytes: Buffer; entry: Entry }>({ max: mostKept });

  /** What these bytes say, which the index has under that key. They may be others afterwards. */
  decode(key: string | number, bytes: Buffer): Entry {
    const kept = this.#kept.get(key);
    if (kept?.bytes.equals(bytes) === true) return kept.entry;
    const entry = JSON.parse(bytes.toString()) as Entry;
    this.keep(key, { bytes, entry });
    return entry;
  }

  /** Whether or not the index ever has them: they say the same. */
  keep(key: string | number, { bytes, entry }: { readonly bytes: Buffer; readonly entry: Entry }): void {
    const known = this.#kept.get(key);
    if (known?.bytes.length === bytes.length) { // mostly only a number in it has grown
      bytes.copy(known.bytes);
      known.entry = entry;
      return;
    }
    if (bytes.length > largestBytes) return;
    const own = Buffer.allocUnsafeSlow(bytes.length); // small buffers share pieces of 8 KB: each kept one would hold such a piece
    bytes.copy(own);
    this.#kept.set(key, { bytes: own, entry });
  }
}
