/** Gathers the bytes of header sections within limits, so that no mail, however hostile, makes the scanner hold much. */

/** Bytes kept of one header section; the fields beyond are read over. */
const maxSectionBytes = 256 * 1024;

/** Bytes kept of all header sections of one message together: bounds the size of what `scanMessage` returns. */
const maxTotalBytes = 1024 * 1024;

/** What the first line makes room for. */
const leastBytes = 4096;
const nothing = Buffer.alloc(0);

/** The header section that is being read. One object serves a whole message. */
export class HeaderSection {
  #buffer = nothing;
  #length = 0;
  #total = 0;

  /** Adds bytes (copied), as far as the limits allow. */
  append(bytes: Buffer): void {
    const taken = this.#roomFor(bytes);
    if (this.#length + taken > this.#buffer.length) this.#grow(this.#length + taken);
    bytes.copy(this.#buffer, this.#length, 0, taken);
    this.#length += taken;
    this.#total += taken;
  }

  /** What was gathered, as latin1 text, and begins anew. */
  take(): string {
    const section = this.#buffer.toString('latin1', 0, this.#length);
    this.#length = 0;
    return section;
  }

  /** The text of a section that came at once, as far as the limits allow. Nothing was gathered before. */
  takeWhole(bytes: Buffer): string {
    const taken = this.#roomFor(bytes);
    this.#total += taken;
    return bytes.toString('latin1', 0, taken);
  }

  #roomFor(bytes: Buffer): number {
    return Math.min(maxSectionBytes - this.#length, maxTotalBytes - this.#total, bytes.length);
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafe(Math.max(needed, leastBytes, 2 * this.#buffer.length));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}
