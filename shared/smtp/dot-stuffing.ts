/** The form of a message between DATA and the final dot (RFC 5321 section 4.5.2), made piece by piece. Pure. */

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const dot = 0x2e;
const crBytes = Buffer.from('\r');
const lfBytes = Buffer.from('\n');
const dotBytes = Buffer.from('.');

/**
 * Doubles dots at line starts. A bare LF or bare CR must not be sent (RFC 5321 section 2.3.8: a server that takes it for a
 * line end could be made to see another message in ours), so it becomes CRLF here.
 */
export class DotStuffer {
  /** The last byte written; LF at the very beginning, which is a line start. */
  #previous = lineFeed;

  /** The wire form of the next piece. */
  push(piece: Buffer): Buffer {
    const parts: Buffer[] = [];
    let from = 0;
    const insert = (at: number, bytes: Buffer): void => {
      if (at > from) parts.push(piece.subarray(from, at));
      parts.push(bytes);
      from = at;
    };
    let previous = this.#previous;
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at] ?? 0;
      if (previous === carriageReturn && byte !== lineFeed) {
        insert(at, lfBytes);
        previous = lineFeed;
      }
      if (byte === lineFeed && previous !== carriageReturn) insert(at, crBytes);
      else if (byte === dot && previous === lineFeed) insert(at, dotBytes);
      previous = byte;
    }
    this.#previous = previous;
    if (parts.length === 0) return piece;
    if (from < piece.length) parts.push(piece.subarray(from));
    return Buffer.concat(parts);
  }

  /** What ends the message: its last line's CRLF where that is missing, then the dot. */
  end(): string {
    if (this.#previous === lineFeed) return '.\r\n';
    return this.#previous === carriageReturn ? '\n.\r\n' : '\r\n.\r\n';
  }
}
