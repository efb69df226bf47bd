/** Whether a message's header needs SMTPUTF8 (RFC 6531 section 3.1); a body that is not ASCII does not. */

export type HeaderForm = 'ascii' | 'utf8';

/** Looks at a header as it comes by, however it is cut. */
export class HeaderFormScanner {
  #inHeader = true;
  #lineBytes = 0;
  form: HeaderForm = 'ascii';

  /** True when the header is over, or all is known. */
  get done(): boolean {
    return !this.#inHeader || this.form === 'utf8';
  }

  push(piece: Buffer): void {
    for (let at = 0; at < piece.length && !this.done; at += 1) {
      const byte = piece[at] ?? 0;
      if (byte >= 0x80) this.form = 'utf8';
      if (byte === 0x0a) {
        if (this.#lineBytes === 0) this.#inHeader = false;
        this.#lineBytes = 0;
      } else if (byte !== 0x0d) this.#lineBytes += 1;
    }
  }
}

export async function headerForm(bytes: AsyncIterable<Buffer>): Promise<HeaderForm> {
  const scanner = new HeaderFormScanner();
  for await (const piece of bytes) {
    scanner.push(piece);
    if (scanner.done) break;
  }
  return scanner.form;
}
