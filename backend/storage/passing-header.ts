/** The header of a message whose structure is known already, taken up while its bytes go by to another storage. */
import { decodeStructure } from '../../shared/mime/encode-structure.ts';
import { keepFields, mostHeaderBytes } from '../../shared/mime/kept-fields.ts';

export class PassingHeader {
  readonly #pieces: Buffer[] = [];
  /** Bytes that are still to come. */
  #missing: number;

  /** @param structure as it is stored; throws `storage-failure` when it is none */
  constructor(structure: Buffer) {
    this.#missing = Math.min(decodeStructure(structure).root.bodyStart, mostHeaderBytes + 1);
  }

  /** The next bytes of the message; they may be used again by the caller. */
  add(chunk: Buffer): void {
    if (this.#missing === 0) return;
    const piece = Buffer.from(chunk.subarray(0, this.#missing));
    this.#missing -= piece.length;
    this.#pieces.push(piece);
  }

  /** Once all bytes have gone by. */
  fields(): Buffer {
    return keepFields(Buffer.concat(this.#pieces));
  }
}
