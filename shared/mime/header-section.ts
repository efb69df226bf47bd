/** Gathers the bytes of header sections within limits, so that no mail, however hostile, makes the scanner hold much. */

/** Bytes kept of one header section; the fields beyond are read over. */
const maxSectionBytes = 256 * 1024;

/** Bytes kept of all header sections of one message together: bounds the size of what `scanMessage` returns. */
const maxTotalBytes = 1024 * 1024;

/** The header section that is being read. One object serves a whole message. */
export class HeaderSection {
  #buffer = Buffer.allocUnsafe(4096);
  #length = 0;
  #total = 0;

  /** Adds bytes (copied), as far as the limits allow. */
  append(bytes: Buffer): void {
    const room = Math.min(maxSectionBytes - this.#length, maxTotalBytes - this.#total);
    const taken = Math.min(room, bytes.length);
    if (this.#length + taken > this.#buffer.length) this.#grow(this.#length + taken);
    bytes.copy(this.#buffer, this.#length, 0, taken);
    this.#length += taken;
    this.#total += taken;
  }

  /** The bytes gathered, and begins anew. They are valid until the next `append`. */
  take(): Buffer {
    const section = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    return section;
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}
