/** Watches the bytes of a message that is on its way: whether its header has characters beyond ASCII, and in UTF-8 (RFC 6532). Pure. */

const lineFeed = 10;
const carriageReturn = 13;

export class HeaderCharacters {
  /** From the first piece on that is not ASCII: what came before leaves nothing open. */
  #decoder: InstanceType<typeof TextDecoder> | undefined;
  #has8Bit = false;
  #isUtf8 = true;
  #lineLength = 0;
  #isOver = false;

  /** True when there are characters beyond ASCII, and all of them are UTF-8. Bytes in a charset that nobody named are none. */
  get isInternational(): boolean {
    return this.#has8Bit && this.#isUtf8;
  }

  /** The next bytes of the message. */
  add(piece: Buffer): void {
    if (this.#isOver) return;
    const end = this.#endIn(piece);
    if (!this.#has8Bit) return;
    try {
      this.#decoder ??= new TextDecoder('utf-8', { fatal: true });
      this.#decoder.decode(piece.subarray(0, end), { stream: !this.#isOver });
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      this.#isUtf8 = false;
    }
  }

  /** Where the empty line ends the header in this piece, its length when it does not. */
  #endIn(piece: Buffer): number {
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at] ?? 0;
      if (byte >= 0x80) this.#has8Bit = true;
      if (byte === lineFeed) {
        if (this.#lineLength === 0) {
          this.#isOver = true;
          return at;
        }
        this.#lineLength = 0;
      } else if (byte !== carriageReturn) this.#lineLength += 1;
    }
    return piece.length;
  }
}
