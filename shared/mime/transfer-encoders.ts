/** The encoders of Content-Transfer-Encoding (RFC 2045 sections 6.7 and 6.8), for bytes that come in pieces. */

export interface TransferEncoder {
  write(piece: Buffer): Buffer;
  /** What is left. */
  end(): Buffer;
}

/** Bytes of a line of 76 characters. */
const bytesPerLine = 57;

export class Base64Lines implements TransferEncoder {
  readonly #ending: 'with a line end' | 'without';
  #carry: Buffer = Buffer.alloc(0);
  #isFirst = true;

  constructor(ending: 'with a line end' | 'without') {
    this.#ending = ending;
  }

  write(piece: Buffer): Buffer {
    const data = this.#carry.length === 0 ? piece : Buffer.concat([this.#carry, piece]);
    const whole = data.length - (data.length % bytesPerLine);
    this.#carry = Buffer.from(data.subarray(whole));
    return this.#lines(data.subarray(0, whole));
  }

  end(): Buffer {
    return Buffer.concat([this.#lines(this.#carry), Buffer.from(this.#ending === 'with a line end' ? '\r\n' : '')]);
  }

  #lines(data: Buffer): Buffer {
    const lines = Array.from({ length: Math.ceil(data.length / bytesPerLine) }, (_, index) => data.toString('base64', index * bytesPerLine, (index + 1) * bytesPerLine));
    if (lines.length === 0) return Buffer.alloc(0);
    const text = `${this.#isFirst ? '' : '\r\n'}${lines.join('\r\n')}`;
    this.#isFirst = false;
    return Buffer.from(text, 'latin1');
  }
}

/** RFC 2045 section 6.7 rule 5: 76 characters, the `=` at its end included. */
const longestQuotedLine = 76;
const CR = 0x0d;
const LF = 0x0a;
const hexadecimal = Array.from({ length: 256 }, (_, byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`);

/** For texts: line ends (CRLF) stay line ends, a lone CR or LF is a byte like others. */
export class QuotedPrintable implements TransferEncoder {
  #column = 0;
  /** A CR, or white space, whose successor has not come yet. */
  #held: number | undefined;
  #text: string[] = [];

  write(piece: Buffer): Buffer {
    for (const byte of piece) this.#take(byte);
    return this.#flush();
  }

  end(): Buffer {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#put(hexadecimal[held] ?? ''); // white space at the end would get lost (rule 3)
    return this.#flush();
  }

  #take(byte: number): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === CR && byte === LF) {
      this.#text.push('\r\n');
      this.#column = 0;
      return;
    }
    if (held !== undefined) this.#put(held === CR || byte === CR ? hexadecimal[held] ?? '' : String.fromCharCode(held));
    if (byte === CR || byte === 0x20 || byte === 0x09) this.#held = byte;
    else this.#put(byte > 0x20 && byte < 0x7f && byte !== 0x3d ? String.fromCharCode(byte) : hexadecimal[byte] ?? '');
  }

  #put(characters: string): void {
    if (this.#column + characters.length > longestQuotedLine - 1) {
      this.#text.push('=\r\n');
      this.#column = 0;
    }
    this.#text.push(characters);
    this.#column += characters.length;
  }

  #flush(): Buffer {
    const text = this.#text.join('');
    this.#text = [];
    return Buffer.from(text, 'latin1');
  }
}
