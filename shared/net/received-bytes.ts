/** Bytes that were received and not yet read, and the lines in them. */

const empty = Buffer.alloc(0);
const newline = 0x0a;
const carriageReturn = 0x0d;

export class ReceivedBytes {
  #bytes: Buffer = empty;
  /** No line ends before it. */
  #searched = 0;

  get length(): number {
    return this.#bytes.length;
  }

  get hasLine(): boolean {
    return this.#bytes.includes(newline, this.#searched);
  }

  /** What is there, to look at. */
  get all(): Buffer {
    return this.#bytes;
  }

  add(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  /** The next line as latin1 text, without its CRLF (or lone LF). */
  takeLine(maxBytes: number): { readonly kind: 'line'; readonly text: string } | { readonly kind: 'unfinished' | 'too-long' } {
    const at = this.#bytes.indexOf(newline, this.#searched);
    if (at > maxBytes || (at < 0 && this.#bytes.length > maxBytes)) return { kind: 'too-long' };
    if (at < 0) {
      this.#searched = this.#bytes.length;
      return { kind: 'unfinished' };
    }
    const end = at > 0 && this.#bytes[at - 1] === carriageReturn ? at - 1 : at;
    const text = this.#bytes.toString('latin1', 0, end);
    this.take(at + 1);
    return { kind: 'line', text };
  }

  /** At most so many; all by default. */
  take(most = this.#bytes.length): Buffer {
    const taken = this.#bytes.subarray(0, most);
    this.#bytes = taken.length === this.#bytes.length ? empty : this.#bytes.subarray(taken.length);
    this.#searched = 0;
    return taken;
  }
}
