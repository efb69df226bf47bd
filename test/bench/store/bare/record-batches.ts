/** Records that have to last, of one process. Who comes while a batch is on its way goes into the next one: one write and one flush, and one commit where there is an index, for all of them. */
import { constants, openSync, writev, writevSync } from 'node:fs';
import { join } from 'node:path';
import { ArrivalBatches } from '../../../../backend/storage/arrival-batches.ts';
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

export interface RecordBatches {
  add(record: BareRecord): void;
}

type Keep = (batch: readonly BareRecord[]) => Promise<void>;

/** What fails to be kept ends the process. */
export function openRecordBatches(folder: string, durability: Durability): RecordBatches {
  // Written through O_DSYNC: write and flush are one call and one turn of the thread pool, as with our packs (`backend/storage/pack-file.ts`).
  const file = new GrowingFile(openSync(join(folder, `mail-${String(process.pid)}`), constants.O_WRONLY | constants.O_CREAT | (durability === 'not flushed' ? 0 : constants.O_DSYNC)));
  if (durability !== 'indexed') return new BatchesAtOnce(async (batch) => file.write(durability, batch.flatMap(({ text, message }) => [Buffer.from(text, 'latin1'), ...message])));
  const index = openRoot(join(folder, 'index'));
  return new GatheredBatches(async (batch) => {
    await file.write('flushed', batch.flatMap(({ message }) => message));
    await index.transaction(() => { for (const { key, text } of batch) index.putSync(key, Buffer.from(text, 'latin1')); });
  });
}

/** A batch begins as soon as somebody waits and the one before has ended: with one short flush for each that is the fastest. */
class BatchesAtOnce implements RecordBatches {
  readonly #keep: Keep;
  #waiting: BareRecord[] = [];
  #state: 'idle' | 'at work' = 'idle';

  constructor(keep: Keep) {
    this.#keep = keep;
  }

  add(record: BareRecord): void {
    this.#waiting.push(record);
    if (this.#state === 'idle') void this.#work();
  }

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

/** A batch waits for those who were told of the last one, by the rule of our storage: where commits take long, full ones are what counts. */
class GatheredBatches implements RecordBatches {
  readonly #keep: Keep;
  readonly #arrivals = new ArrivalBatches();
  #batch: BareRecord[] = [];
  #keeping: Promise<void> | undefined;

  constructor(keep: Keep) {
    this.#keep = keep;
  }

  add(record: BareRecord): void {
    void this.#arrivals.run(async () => this.#keepTogether(record)).then(record.told);
  }

  /** All that are called in one turn of the event loop are one batch. */
  async #keepTogether(record: BareRecord): Promise<void> {
    this.#batch.push(record);
    this.#keeping ??= Promise.resolve().then(async () => {
      const batch = this.#batch;
      [this.#batch, this.#keeping] = [[], undefined];
      await this.#keep(batch);
    });
    return this.#keeping;
  }
}

/** Written at its end only. */
class GrowingFile {
  readonly #descriptor: number;
  #length = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  async write(how: 'flushed' | 'not flushed', pieces: readonly Uint8Array[]): Promise<void> {
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    if (size === 0) return;
    const at = this.#length;
    this.#length += size;
    const written = how === 'flushed' ? await flushed(this.#descriptor, pieces, at) : writevSync(this.#descriptor, pieces, at);
    if (written !== size) throw new Error(`${String(written)} of ${String(size)} bytes were written`);
  }
}

/** Answers how many bytes were written. */
async function flushed(descriptor: number, pieces: readonly Uint8Array[], at: number): Promise<number> {
  return new Promise((resolve, reject) => { writev(descriptor, pieces, at, (error, count) => (error === null ? resolve(count) : reject(error))); });
}
