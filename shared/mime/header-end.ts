/** Where the header section of a message ends that is on its way, in pieces; and a bound on how long it may be. Pure. */

const lineFeed = 10;
const carriageReturn = 13;

/** Lines may end with CRLF or with LF alone. */
export class HeaderEnd {
  /** Of the line that the last piece left open. */
  #isEmptyLine = true;
  #isOver = false;

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Takes the next bytes of the message; answers how many of them are of the header section, the empty line among them. */
  add(piece: Buffer): number {
    let start = 0;
    while (!this.#isOver && start < piece.length) {
      const found = piece.indexOf(lineFeed, start);
      const end = found === -1 ? piece.length : found;
      this.#isEmptyLine &&= holdsOnlyReturns(piece, start, end);
      if (found === -1) return piece.length;
      this.#isOver = this.#isEmptyLine;
      this.#isEmptyLine = true;
      start = found + 1;
    }
    return start;
  }
}

function holdsOnlyReturns(piece: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (piece[at] !== carriageReturn) return false;
  return true;
}

/** The header section of a message that comes in pieces, and that may not be longer than a limit. */
export class BoundedHeader {
  readonly #end = new HeaderEnd();
  #leftBytes: number;
  readonly #refusal: () => Error;

  constructor(maxBytes: number, refusal: () => Error) {
    this.#leftBytes = maxBytes;
    this.#refusal = refusal;
  }

  /** Looks at the next bytes of the message. @throws what `refusal` makes when the header section becomes too long by them */
  add(piece: Buffer): void {
    this.#leftBytes -= this.#end.add(piece);
    if (this.#leftBytes < 0) throw this.#refusal();
  }
}

/** Passes a message on. @throws what `refusal` makes, before the piece in which the header section becomes longer than `maxBytes` */
export async function* withinHeaderLimit(source: AsyncIterable<Buffer> | Iterable<Buffer>, maxBytes: number, refusal: () => Error): AsyncGenerator<Buffer, void, void> {
  const header = new BoundedHeader(maxBytes, refusal);
  for await (const piece of source) {
    header.add(piece);
    yield piece;
  }
}
