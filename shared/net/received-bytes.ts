/**
 * Bytes that were received and not yet read, and the lines in them. They stay in the pieces in which they came: to join them with each that comes
 * copied a message of 100 kB by TLS several times over, into new memory for which V8 marked its whole heap three times a second.
 */
import { addJoined } from '../base/joined.ts';

const newline = 0x0a;
const carriageReturn = 0x0d;

export class ReceivedBytes {
  #pieces: Buffer[] = [];
  #length = 0;
  /** No line ends in so many bytes. */
  #searched = 0;

  get length(): number {
    return this.#length;
  }

  get hasLine(): boolean {
    return this.#findNewline() >= 0;
  }

  /** What is there, to look at. */
  get all(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  add(chunk: Buffer): void {
    this.#length += chunk.length;
    addJoined(this.#pieces, chunk);
  }

  /** The next line as latin1 text, without its CRLF (or lone LF). */
  takeLine(maxBytes: number): { readonly kind: 'line'; readonly text: string } | { readonly kind: 'unfinished' | 'too-long' } {
    const at = this.#findNewline();
    if (at > maxBytes || (at < 0 && this.#length > maxBytes)) return { kind: 'too-long' };
    if (at < 0) return { kind: 'unfinished' };
    const line = this.take(at + 1);
    const end = at > 0 && line[at - 1] === carriageReturn ? at - 1 : at;
    return { kind: 'line', text: line.toString('latin1', 0, end) };
  }

  /** At most so many; all by default. */
  take(most = this.#length): Buffer {
    const first = this.takePiece(most);
    if (first.length >= Math.min(most, first.length + this.#length)) return first;
    const pieces = [first];
    for (let left = most - first.length; left > 0 && this.#length > 0; left -= pieces.at(-1)?.length ?? 0) pieces.push(this.takePiece(left));
    return Buffer.concat(pieces);
  }

  /** At most so many of those that came together; none where there are none. */
  takePiece(most: number): Buffer {
    const [piece = nothing] = this.#pieces;
    if (piece.length <= most) this.#pieces.shift();
    else this.#pieces[0] = piece.subarray(most);
    const taken = piece.length <= most ? piece : piece.subarray(0, most);
    this.#length -= taken.length;
    this.#searched = 0;
    return taken;
  }

  /** Where the first line ends, counted from the first byte; -1 where none does. */
  #findNewline(): number {
    let before = 0;
    for (const piece of this.#pieces) {
      const from = this.#searched - before;
      const at = from >= piece.length ? -1 : piece.indexOf(newline, Math.max(0, from));
      if (at >= 0) return before + at;
      before += piece.length;
    }
    this.#searched = before;
    return -1;
  }
}

const nothing = Buffer.alloc(0);
