/** Watches the bytes of a message that is on its way: whether its header has characters beyond ASCII, and in UTF-8 (RFC 6532). Pure. */
import { isAscii } from 'node:buffer';
import { HeaderEnd } from './header-end.ts';

export class HeaderCharacters {
  /** From the first piece on that is not ASCII: what came before leaves nothing open. */
  #decoder: InstanceType<typeof TextDecoder> | undefined;
  #has8Bit = false;
  #isUtf8 = true;
  readonly #header = new HeaderEnd();

  /** True when there are characters beyond ASCII, and all of them are UTF-8. Bytes in a charset that nobody named are none. */
  get isInternational(): boolean {
    return this.#has8Bit && this.#isUtf8;
  }

  /** The next bytes of the message. */
  add(piece: Buffer): void {
    if (this.#header.isOver) return;
    const bytes = piece.subarray(0, this.#header.add(piece));
    this.#has8Bit ||= !isAscii(bytes);
    if (!this.#has8Bit) return;
    try {
      this.#decoder ??= new TextDecoder('utf-8', { fatal: true });
      this.#decoder.decode(bytes, { stream: !this.#header.isOver });
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      this.#isUtf8 = false;
    }
  }
}
