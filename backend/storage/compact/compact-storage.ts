/**
 * Compacts a storage while it is used: what lives in packs that are mostly dead is copied into other packs, flushed, and only
 * then named by the index in its new place. The old packs are dead by that, and go as all dead packs do: when nobody can be
 * reading them. Whatever ends it in between leaves some dead bytes more, and every message where it was or where it is.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openTables } from '../keys.ts';
import type { Tables } from '../keys.ts';
import { holdingPacks } from '../kept-folder.ts';
import type { KeptFolder } from '../kept-folder.ts';
import { decodeMessage, MessageStore } from '../message-store.ts';
import { fileHeaderBytes, packName, recordHeaderBytes, trailerBytes } from '../pack-format.ts';
import { PackLedger } from '../pack-ledger.ts';
import { frameOf, openPackFile } from '../pack-record.ts';
import type { FramedRecord } from '../pack-record.ts';
import type { PackPlace, Packs, StagedBytes } from '../packs.ts';
import { isAlive } from '../../../shared/base/process-identity.ts';
import { freshPagesOf } from '../table-pages.ts';
import { notesFor } from './delivery-notes.ts';
import type { Notes } from './delivery-notes.ts';

export interface CompactOptions {
  /** Packs are rewritten of which at least this share is dead, in percent. */
  readonly deadPercent: number;
  /** How fast it copies at most. */
  readonly bytesPerSecond: number;
  readonly report: (text: string, done: { readonly bytes: number; readonly of: number }) => void;
  readonly signal: AbortSignal;
}

export interface CompactReport {
  readonly directory: string;
  /** Packs of which nothing lives any more. */
  readonly packs: number;
  /** Copied. */
  readonly messages: number;
  readonly bytes: number;
  /** What these packs take on the disk until they are removed. */
  readonly freed: number;
  /** Messages that stay where they are, since their bytes are not as they were written: the check names them. */
  readonly damaged: number;
}

/** A message that is to be copied. */
interface Sitting {
  readonly messageId: number;
  readonly references: number;
  readonly place: PackPlace;
}

interface SparsePack {
  readonly number: number;
  readonly size: number;
  readonly messages: readonly Sitting[];
}

/** A note takes about as much, with its header and trailer. */
const noteBytes = 330;
/** Messages that are settled and named by one transaction: whichever comes first. */
const mostAtOnce = { messages: 64, bytes: 4 * 2 ** 20 };

/** Throws `storage-full`, `storage-failure`, or what the signal says. */
export async function compactStorage(kept: KeptFolder, options: CompactOptions): Promise<CompactReport> {
  return holdingPacks(kept, async () => compact(kept, options)); // what dies meanwhile may be about to be read
}

async function compact(kept: KeptFolder, options: CompactOptions): Promise<CompactReport> {
  const { directory, packs } = kept;
  const tables = openTables(kept.environment);
  options.report(`looks for packs of ${directory} with much that is dead`, { bytes: 0, of: 0 });
  const sparse = await sparsePacks(kept, tables, options.deadPercent);
  const notes = await notesFor(kept.environment, tables, new Set(sparse.flatMap(({ messages }) => messages.map(({ messageId }) => messageId))));
  const mover = new Mover(kept, { notes, messages: new MessageStore(tables, packs), options });
  const of = sparse.flatMap(({ messages }) => messages).reduce((sum, { place }) => sum + place.length, 0);
  let [emptied, freed] = [0, 0];
  for (const pack of sparse) {
    options.report(`rewrites packs of ${directory}`, { bytes: mover.bytes, of });
    const damagedBefore = mover.damaged;
    await mover.empty(pack, of);
    if (mover.damaged > damagedBefore) continue;
    emptied += 1;
    freed += pack.size;
  }
  return { directory, packs: emptied, messages: mover.messages, bytes: mover.bytes, freed, damaged: mover.damaged };
}

/** Packs that nobody writes, and of which that share would not be there if they were written anew. */
async function sparsePacks({ directory, environment }: KeptFolder, tables: Tables, deadPercent: number): Promise<readonly SparsePack[]> {
  const sizes = new Map<number, number>();
  for (const { number, entry } of environment.read(() => new PackLedger(environment).all())) {
    const size = statSync(join(directory, 'packs', packName(number)), { throwIfNoEntry: false })?.size;
    const isWritten = entry.writer !== null && isAlive(entry.writer);
    if (size !== undefined && !isWritten && entry.liveBytes > 0 && isSparse(size, entry.liveBytes, deadPercent)) sizes.set(number, size);
  }
  const found = new Map<number, Sitting[]>([...sizes.keys()].map((number) => [number, []]));
  if (found.size === 0) return [];
  for await (const page of freshPagesOf(environment, tables.messages)) {
    for (const { key, value } of page) {
      const { references, place } = decodeMessage(value);
      found.get(place.pack)?.push({ messageId: Number(key[0]), references, place });
    }
  }
  const packs = [...found].map(([number, messages]) => ({ number, size: sizes.get(number) ?? 0, messages }));
  return packs.filter(({ size, messages }) => isSparse(size, messages.reduce((sum, message) => sum + bytesOf(message), fileHeaderBytes), deadPercent));
}

function isSparse(size: number, living: number, deadPercent: number): boolean {
  return (size - living) * 100 >= size * deadPercent;
}

/** What a message takes in a pack, with its notes. */
function bytesOf({ place, references }: Sitting): number {
  return place.length + recordHeaderBytes + trailerBytes + references * noteBytes;
}

interface MoverGround {
  readonly notes: Notes;
  readonly messages: MessageStore;
  readonly options: CompactOptions;
}

class Mover {
  readonly #directory: string;
  readonly #packs: Packs;
  readonly #environment: KeptFolder['environment'];
  readonly #ground: MoverGround;
  messages = 0;
  bytes = 0;
  damaged = 0;

  constructor({ directory, packs, environment }: KeptFolder, ground: MoverGround) {
    this.#directory = directory;
    this.#packs = packs;
    this.#environment = environment;
    this.#ground = ground;
  }

  async empty({ number, messages }: SparsePack, of: number): Promise<void> {
    const { report, signal, bytesPerSecond } = this.#ground.options;
    const file = await openPackFile(join(this.#directory, 'packs', packName(number)), number);
    try {
      for (const batch of batches(messages)) {
        signal.throwIfAborted();
        const beganMs = performance.now();
        const framed = await Promise.all(batch.map(async (sitting) => ({ sitting, frame: file === undefined ? undefined : await frameOf(file, sitting.place) })));
        await this.#move(framed);
        report(`rewrites packs of ${this.#directory}`, { bytes: this.bytes, of });
        const dueMs = (batch.reduce((sum, { place }) => sum + place.length, 0) / bytesPerSecond) * 1000;
        await sleep(Math.max(0, dueMs - (performance.now() - beganMs)), undefined, { signal });
      }
    } finally {
      await file?.close();
    }
  }

  /** Copies them, and settles the copies with their notes, before the index names them. */
  async #move(framed: readonly { readonly sitting: Sitting; readonly frame: FramedRecord | undefined }[]): Promise<void> {
    const copies: { readonly sitting: Sitting; readonly staged: StagedBytes }[] = [];
    try {
      for (const { sitting, frame } of framed) {
        const staged = frame === undefined ? undefined : await this.#copy(sitting, frame);
        if (staged === undefined) this.damaged += 1;
        else copies.push({ sitting, staged });
      }
      await Promise.all(copies.flatMap(({ sitting, staged }) => [...this.#ground.notes.of(sitting.messageId, { from: sitting.place, to: staged.place }).map(async (note) => this.#packs.note(note)), staged.settled()]));
      await this.#environment.write(() => {
        for (const { sitting, staged } of copies) this.#ground.messages.relocate(sitting.messageId, sitting.place, staged.place);
      });
      this.messages += copies.length;
      this.bytes += copies.reduce((sum, { sitting }) => sum + sitting.place.length, 0);
    } finally {
      for (const { staged } of copies) staged.done();
    }
  }

  /** Undefined when the bytes are not those that were written: a copy would give them a checksum that fits. */
  async #copy({ place }: Sitting, { header, trailer }: FramedRecord): Promise<StagedBytes | undefined> {
    const staged = await this.#packs.stage(this.#packs.pieces(place), { maxBytes: place.length, owner: header.owner });
    if (staged.digest.equals(trailer.digest)) return staged;
    staged.done();
    return undefined;
  }
}

function* batches(messages: readonly Sitting[]): Generator<readonly Sitting[]> {
  let batch: Sitting[] = [];
  let bytes = 0;
  for (const message of messages.toSorted((one, other) => one.place.offset - other.place.offset)) {
    batch.push(message);
    bytes += message.place.length;
    if (batch.length < mostAtOnce.messages && bytes < mostAtOnce.bytes) continue;
    yield batch;
    [batch, bytes] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}
