/**
 * Looks for what a line of SMTP must not hold: LF without CR, CR without LF, NUL, or too much (RFC 5321 sections 2.3.8,
 * 4.1.1.4, 4.5.3.1). Two servers that disagree about line ends can be made to see different messages in the same bytes
 * ("SMTP smuggling"), so such lines are refused, never repaired. Pure.
 */

export type LineDefect = 'bare <LF>' | 'bare <CR>' | 'NUL' | 'line too long';

const carriageReturn = 0x0d;
const lineFeed = 0x0a;

/** Looks at one stream of bytes, in pieces. */
export class LineScanner {
  readonly #maxLineBytes: number;
  #lineBytes = 0;
  #afterCarriageReturn = false;

  /** @param maxLineBytes the CRLF included. */
  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The first defect in this piece, or undefined. After a defect the scanner is of no more use. */
  scan(piece: Buffer): LineDefect | undefined {
    let lineBytes = this.#lineBytes;
    let afterCarriageReturn = this.#afterCarriageReturn;
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at] ?? 0;
      lineBytes += 1;
      if (byte === lineFeed) {
        if (!afterCarriageReturn) return 'bare <LF>';
        if (lineBytes > this.#maxLineBytes) return 'line too long';
        lineBytes = 0;
      } else if (afterCarriageReturn) return 'bare <CR>';
      else if (byte === 0) return 'NUL';
      afterCarriageReturn = byte === carriageReturn;
    }
    this.#lineBytes = lineBytes;
    this.#afterCarriageReturn = afterCarriageReturn;
    return lineBytes > this.#maxLineBytes ? 'line too long' : undefined;
  }
}
