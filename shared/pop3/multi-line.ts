/** The body of a multi-line response (RFC 1939 section 3), made piece by piece: dots at line starts doubled, the final dot added. Pure. */

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const dot = Buffer.from('.');
const dotAtLineStart = Buffer.from('\n.');

/**
 * Every byte goes out as it is. A line start is what follows CRLF or a bare LF: many clients read lines by LF alone, and
 * a dot left single there would end the message for them, and let its author speak in our name.
 */
export class MultiLineEncoder {
  /** The last two bytes that went in; a line start at the beginning. */
  #previous = LF;
  #beforePrevious = CR;

  /** The wire form of the next bytes of the message. */
  push(piece: Buffer): Buffer {
    if (piece.length === 0) return piece;
    const parts: Buffer[] = [];
    if (this.#previous === LF && piece[0] === DOT) parts.push(dot);
    let from = 0;
    for (let at = piece.indexOf(dotAtLineStart); at !== -1; at = piece.indexOf(dotAtLineStart, from)) {
      parts.push(piece.subarray(from, at + 1), dot);
      from = at + 1;
    }
    this.#beforePrevious = piece.length > 1 ? (piece[piece.length - 2] ?? 0) : this.#previous;
    this.#previous = piece[piece.length - 1] ?? 0;
    if (parts.length === 0) return piece;
    parts.push(piece.subarray(from));
    return Buffer.concat(parts);
  }

  /** What ends the response: CRLF where the message lacks it, then the dot. */
  end(): string {
    const complete = this.#previous === LF && this.#beforePrevious === CR;
    return complete ? '.\r\n' : '\r\n.\r\n';
  }
}
