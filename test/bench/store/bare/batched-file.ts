/** A file of one process to which records are appended. Who comes while a batch is on its way to the disk goes into the next one: one write and one flush for all of them. */
import { constants, openSync, writeSync, writev } from 'node:fs';

/** Whether a record is on stable storage, or only handed to the system, when its writer is told. */
export type Durability = 'flushed' | 'not flushed';

export class BatchedFile {
  readonly #descriptor: number;
  readonly #durability: Durability;
  #pieces: Uint8Array[] = [];
  #told: (() => void)[] = [];
  #state: 'idle' | 'writing' = 'idle';

  constructor(path: string, durability: Durability) {
    this.#durability = durability;
    // Written through O_DSYNC: write and flush are one call and one turn of the thread pool, as with our packs (`backend/storage/pack-file.ts`).
    this.#descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | (durability === 'flushed' ? constants.O_DSYNC : 0));
  }

  /** @param told called once the pieces are in the file */
  append(pieces: readonly Uint8Array[], told: () => void): void {
    if (this.#durability === 'not flushed') {
      for (const piece of pieces) writeSync(this.#descriptor, piece);
      told();
      return;
    }
    this.#pieces.push(...pieces);
    this.#told.push(told);
    if (this.#state === 'idle') this.#write();
  }

  #write(): void {
    this.#state = 'writing';
    const [pieces, told] = [this.#pieces, this.#told];
    [this.#pieces, this.#told] = [[], []];
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    writev(this.#descriptor, pieces, (error, written) => {
      if (error !== null) throw error;
      if (written !== size) throw new Error(`${String(written)} of ${String(size)} bytes were written`);
      for (const tell of told) tell();
      if (this.#told.length > 0) this.#write();
      else this.#state = 'idle';
    });
  }
}
