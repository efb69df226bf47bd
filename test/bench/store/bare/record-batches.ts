/** Records that have to last, of one process. Who comes while a batch is on its way goes into the next one: one write and one flush (and one commit) for all of them. */
import { constants, openSync, writeSync, writev } from 'node:fs';
import { join } from 'node:path';
import { openRoot } from '../../../../backend/storage/lmdb-root.ts';

/**
 * What becomes of a record before its writer is told: it and the message are flushed in the process's own file; or the message is, and the record is committed to an LMDB that both
 * processes share, which flushes twice, as our index; or both are only handed to the system.
 */
export type Durability = 'flushed' | 'indexed' | 'not flushed';

export interface BareRecord {
  /** In the index: who comes again takes the former one's place. */
  readonly key: string[];
  readonly text: string;
  readonly message: readonly Uint8Array[];
  /** Called once it lasts. */
  readonly told: () => void;
}

export class RecordBatches {
  readonly #keep: (batch: readonly BareRecord[]) => Promise<void>;
  #waiting: BareRecord[] = [];
  #state: 'idle' | 'at work' = 'idle';

  private constructor(keep: (batch: readonly BareRecord[]) => Promise<void>) {
    this.#keep = keep;
  }

  static open(folder: string, durability: Durability): RecordBatches {
    // Written through O_DSYNC: write and flush are one call and one turn of the thread pool, as with our packs (`backend/storage/pack-file.ts`).
    const descriptor = openSync(join(folder, `mail-${String(process.pid)}`), constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | (durability === 'not flushed' ? 0 : constants.O_DSYNC));
    if (durability !== 'indexed') return new RecordBatches(async (batch) => write(descriptor, durability, batch.flatMap(({ text, message }) => [Buffer.from(text, 'latin1'), ...message])));
    const index = openRoot(join(folder, 'index'));
    return new RecordBatches(async (batch) => {
      await write(descriptor, 'flushed', batch.flatMap(({ message }) => message));
      await index.transaction(() => { for (const { key, text } of batch) index.putSync(key, Buffer.from(text, 'latin1')); });
    });
  }

  add(record: BareRecord): void {
    this.#waiting.push(record);
    if (this.#state === 'idle') void this.#work();
  }

  /** What fails ends the process. */
  async #work(): Promise<void> {
    this.#state = 'at work';
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      await this.#keep(batch);
      for (const { told } of batch) told();
    }
    this.#state = 'idle';
  }
}

async function write(descriptor: number, durability: 'flushed' | 'not flushed', pieces: readonly Uint8Array[]): Promise<void> {
  if (durability === 'not flushed') {
    for (const piece of pieces) writeSync(descriptor, piece);
    return;
  }
  const size = pieces.reduce((sum, { length }) => sum + length, 0);
  if (size === 0) return;
  const written = await new Promise<number>((resolve, reject) => { writev(descriptor, pieces, (error, count) => (error === null ? resolve(count) : reject(error))); });
  if (written !== size) throw new Error(`${String(written)} of ${String(size)} bytes were written`);
}
