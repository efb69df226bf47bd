/** The form of a message between DATA and the final dot (RFC 5321 section 4.5.2), made and unmade piece by piece. Pure. */

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const dot = 0x2e;

/**
 * Doubles dots at line starts. A bare LF or bare CR must not be sent (RFC 5321 section 2.3.8: a server that takes it for a
 * line end could be made to see another message in ours), so it becomes CRLF here.
 */
export class DotStuffer {
  /** The last byte written; LF at the very beginning, which is a line start. */
  #previous = lineFeed;

  /** The wire form of the next piece. */
  push(piece: Buffer): Buffer {
    const inserted = this.#countInsertions(piece);
    if (inserted === 0) {
      this.#previous = piece.at(-1) ?? this.#previous;
      return piece;
    }
    const wire = Buffer.allocUnsafe(piece.length + inserted);
    let length = 0;
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at] ?? 0;
      if (this.#previous === carriageReturn && byte !== lineFeed) {
        wire[length++] = lineFeed;
        this.#previous = lineFeed;
      }
      if (byte === lineFeed && this.#previous !== carriageReturn) wire[length++] = carriageReturn;
      else if (byte === dot && this.#previous === lineFeed) wire[length++] = dot;
      wire[length++] = byte;
      this.#previous = byte;
    }
    return wire;
  }

  /** What ends the message: its last line's CRLF where that is missing, then the dot. */
  end(): string {
    if (this.#previous === lineFeed) return '.\r\n';
    return this.#previous === carriageReturn ? '\n.\r\n' : '\r\n.\r\n';
  }

  #countInsertions(piece: Buffer): number {
    let previous = this.#previous;
    let inserted = 0;
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at] ?? 0;
      if (previous === carriageReturn && byte !== lineFeed) {
        inserted += 1;
        previous = lineFeed;
      }
      if ((byte === lineFeed && previous !== carriageReturn) || (byte === dot && previous === lineFeed)) inserted += 1;
      previous = byte;
    }
    return inserted;
  }
}

/**
 * Takes away the first dot of a line and finds the end of the message, which is CRLF . CRLF and nothing else. One pass
 * over the bytes, whatever they are: a message full of dots must not cost more than another.
 */
export class DotUnstuffer {
  #state: 'text' | 'after CR' | 'line start' | 'after dot' | 'after dot CR' = 'line start';

  /** The content of the next piece; `rest` is there when the end was found: the bytes after the final dot's CRLF. */
  push(piece: Buffer): { readonly content: Buffer; readonly rest: Buffer | undefined } {
    return this.#pushPlain(piece) ?? this.#pushBytewise(piece);
  }

  /** Undefined where a line begins with a dot that is not the last one, or may begin with one. Native search, and nothing is copied. */
  #pushPlain(piece: Buffer): { readonly content: Buffer; readonly rest: Buffer | undefined } | undefined {
    if (piece.length === 0 || (this.#state !== 'text' && (this.#state !== 'line start' || piece[0] === dot))) return undefined;
    const dotted = piece.indexOf('\r\n.', 0, 'latin1');
    if (dotted === -1) {
      const last = piece.at(-1);
      if (last === carriageReturn) this.#state = 'after CR';
      else this.#state = last === lineFeed && piece.at(-2) === carriageReturn ? 'line start' : 'text';
      return { content: piece, rest: undefined };
    }
    if (piece[dotted + 3] !== carriageReturn || piece[dotted + 4] !== lineFeed) return undefined;
    return { content: piece.subarray(0, dotted + 2), rest: piece.subarray(dotted + 5) };
  }

  #pushBytewise(piece: Buffer): { readonly content: Buffer; readonly rest: Buffer | undefined } {
    const content = Buffer.allocUnsafe(piece.length + 1);
    let length = 0;
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at] ?? 0;
      if (this.#state === 'after dot CR') {
        if (byte === lineFeed) return { content: content.subarray(0, length), rest: piece.subarray(at + 1) };
        content[length++] = carriageReturn;
        this.#state = 'after CR';
      }
      if (this.#state === 'after dot' && byte === carriageReturn) this.#state = 'after dot CR';
      else if (this.#state === 'line start' && byte === dot) this.#state = 'after dot';
      else {
        content[length++] = byte;
        if (byte === carriageReturn) this.#state = 'after CR';
        else this.#state = byte === lineFeed && this.#state === 'after CR' ? 'line start' : 'text';
      }
    }
    return { content: content.subarray(0, length), rest: undefined };
  }
}
