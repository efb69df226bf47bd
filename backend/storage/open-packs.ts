/**
 * Opens the packs in a directory. Small messages of all sessions go whole into one shared pack, so that they share its
 * flush; a big one is streamed into a pack that it has for itself until it ends.
 */
import { stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../shared/base/failure.ts';
import { ArrivingRecord } from './arriving-record.ts';
import { flush, makeDirectory } from './directories.ts';
import type { Environment } from './environment.ts';
import { PackFile } from './pack-file.ts';
import { packName } from './pack-format.ts';
import { PackLedger } from './pack-ledger.ts';
import { PackReader } from './pack-reader.ts';
import { PackSeries } from './pack-series.ts';
import { isHere, placeKey } from './packs.ts';
import type { DeliveryNote, MessageBytes, PackPlace, Packs, StagedBytes, StageOptions, SeriesMemory } from './packs.ts';

/** A message up to this size waits in memory until it is whole, bytes. */
export const wholeUpToBytes = 256 * 1024;
/** How much `pieces` reads at once. */
const pieceBytes = 256 * 1024;

export interface PackOptions {
  /** Where live bytes are accounted (table `packs`). */
  readonly environment: Environment;
  /** A pack that has grown beyond this takes no further records. */
  readonly packBytes?: number;
}

/** Opens the packs in `directory` (made when missing). */
export function openPacks(directory: string, options: PackOptions): Packs {
  makeDirectory(directory);
  return new PackSet(directory, options);
}

/** A pack being written, and how many pieces in it may still be retained. */
interface OpenPack {
  readonly file: PackFile;
  holds: number;
  retired: boolean;
}

class PackSet implements Packs {
  readonly #directory: string;
  readonly #environment: Environment;
  readonly #packBytes: number;
  readonly #ledger: PackLedger;
  readonly #reader: PackReader;
  readonly #open = new Set<OpenPack>();
  readonly #idleStreams: OpenPack[] = [];
  /** By place: what was staged and may still get notes; no other stream is in its pack. */
  readonly #notDone = new Map<string, OpenPack>();
  #shared: Promise<OpenPack> | undefined;
  #use: 'open' | 'closed' = 'open';
  /** The one that `#shared` came to. */
  #sharedNow: OpenPack | undefined;

  constructor(directory: string, options: PackOptions) {
    this.#directory = directory;
    this.#environment = options.environment;
    this.#packBytes = options.packBytes ?? 256 * 2 ** 20;
    this.#ledger = new PackLedger(options.environment);
    this.#reader = new PackReader((pack) => this.#pathOf(pack));
  }

  async stage(source: MessageBytes, options: StageOptions): Promise<StagedBytes> {
    const record = new ArrivingRecord(options);
    let pack: OpenPack | undefined;
    try {
      if (isHere(source)) record.takeAll(source); // without waiting for each piece, which would cost as much as a small message
      else {
        for await (const chunk of source) {
          record.take(chunk);
          if (record.length <= wholeUpToBytes) continue;
          pack ??= await this.#takeStream();
          await record.writeTo(pack.file);
        }
      }
      pack ??= this.#takeSharedNow() ?? (await this.#takeShared());
      const place = record.finish(pack.file, 'whole');
      if (record.streamed || pack.file.isBehind) await pack.file.written(record.ticket);
      return this.#staged(pack, record, place);
    } catch (error) {
      if (pack !== undefined) await this.#abandon(pack, record);
      throw error;
    }
  }

  #staged(pack: OpenPack, record: ArrivingRecord, place: PackPlace): StagedBytes {
    const key = placeKey(place);
    this.#notDone.set(key, pack);
    return {
      place,
      digest: record.digest,
      settled: () => pack.file.settle(record.ticket),
      done: () => {
        if (!this.#notDone.delete(key)) return;
        if (record.streamed) this.#giveBackStream(pack);
        this.#letGo(pack);
      },
    };
  }

  async #abandon(pack: OpenPack, record: ArrivingRecord): Promise<void> {
    if (record.streamed && !pack.file.failed) record.finish(pack.file, 'aborted');
    if (record.streamed) this.#giveBackStream(pack);
    this.#letGo(pack);
  }

  async note(note: DeliveryNote): Promise<void> {
    const body = Buffer.from(JSON.stringify(note));
    const record = new ArrivingRecord({ owner: note.account, maxBytes: body.length }, 'note');
    record.take(body);
    // With its message, as long as nobody is done with that: in another pack it would go when all messages there are gone. Where a pack is open
    // the note is in it before this returns, and so shares the flush of what is settled next.
    const pack = this.#takeHolding(note.place) ?? this.#takeSharedNow() ?? (await this.#takeShared());
    try {
      record.finish(pack.file, 'whole');
      await pack.file.settle(record.ticket);
    } finally {
      this.#letGo(pack);
    }
  }

  async read(place: PackPlace, offset: number, length: number): Promise<Buffer> {
    const from = Math.min(Math.max(offset, 0), place.length);
    const to = Math.min(Math.max(offset + length, from), place.length);
    for (const { file } of this.#open) if (file.number === place.pack) await file.written(place.offset + to);
    return this.#reader.read(place.pack, place.offset + from, to - from);
  }

  series(memory: SeriesMemory): PackSeries {
    return new PackSeries(this.#reader, memory);
  }

  async *pieces(place: PackPlace): AsyncGenerator<Buffer> {
    for (let at = 0; at < place.length; at += pieceBytes) yield await this.read(place, at, pieceBytes);
  }

  retain(place: PackPlace): void {
    this.#ledger.retain(place);
  }

  release(place: PackPlace): void {
    this.#ledger.release(place);
  }

  hold(): Promise<() => Promise<void>> {
    return this.#ledger.hold();
  }

  async usage(): Promise<{ readonly bytes: number; readonly liveBytes: number }> {
    const packs = this.#environment.read(() => this.#ledger.all());
    const sizes = await Promise.all(packs.map(({ number }) => stat(this.#pathOf(number)).then(({ size }) => size, () => 0)));
    return {
      bytes: sizes.reduce((sum, size) => sum + size, 0),
      liveBytes: packs.reduce((sum, { entry }) => sum + entry.liveBytes, 0),
    };
  }

  async removeDead(idleMs: number): Promise<number> {
    const numbers = this.#dead(idleMs);
    if (numbers.length === 0) return 0;
    for (const number of numbers) await unlink(this.#pathOf(number)).catch(ignoreMissing);
    flush(this.#directory);
    return this.#ledger.strike(numbers); // last, so that a crash leaves no file that nobody knows
  }

  /**
   * A writer may commit after a look at the index and be gone when it is asked for: what it wrote last is not in that look. Who was gone
   * at the first look commits nothing more, so the second one has all of it.
   */
  #dead(idleMs: number): readonly number[] {
    const first = new Set(this.#environment.read(() => this.#ledger.dead(idleMs)));
    return first.size === 0 ? [] : this.#environment.read(() => this.#ledger.dead(idleMs)).filter((number) => first.has(number));
  }

  async close(): Promise<void> {
    this.#use = 'closed';
    this.#shared = this.#sharedNow = undefined;
    const ends = await Promise.allSettled([...this.#open].map((pack) => this.#finish(pack)));
    this.#reader.close();
    for (const end of ends) if (end.status === 'rejected') throw end.reason; // when all that can be closed is
  }

  #pathOf(pack: number): string {
    return join(this.#directory, packName(pack));
  }

  /** The pack in which that message lies, if it was staged here and is not done. */
  #takeHolding(place: PackPlace): OpenPack | undefined {
    const pack = this.#notDone.get(placeKey(place));
    if (pack === undefined || pack.file.failed) return undefined;
    pack.holds += 1;
    return pack;
  }

  /** As `#takeShared`, where nothing has to be waited for. */
  #takeSharedNow(): OpenPack | undefined {
    const pack = this.#sharedNow;
    if (pack === undefined || pack.retired || !this.#isUsable(pack)) return undefined;
    pack.holds += 1;
    return pack;
  }

  /** The pack that small records share; held until `#letGo`. */
  async #takeShared(): Promise<OpenPack> {
    for (;;) {
      const opening = (this.#shared ??= this.#create());
      try {
        const pack = await opening;
        if (!pack.retired && this.#isUsable(pack)) {
          this.#sharedNow = pack;
          pack.holds += 1;
          return pack;
        }
        this.#retire(pack);
      } catch (error) {
        if (this.#shared === opening) this.#shared = undefined;
        throw error;
      }
      if (this.#shared === opening) this.#shared = undefined;
    }
  }

  /** A pack for one streamed record; given back by `#giveBackStream`, held until `#letGo`. */
  async #takeStream(): Promise<OpenPack> {
    const pack = this.#idleStreams.pop() ?? (await this.#create());
    pack.holds += 1;
    return pack;
  }

  #giveBackStream(pack: OpenPack): void {
    if (this.#isUsable(pack)) this.#idleStreams.push(pack);
    else this.#retire(pack);
  }

  #isUsable(pack: OpenPack): boolean {
    return !pack.file.failed && pack.file.size < this.#packBytes;
  }

  async #create(): Promise<OpenPack> {
    const number = await this.#ledger.allocate();
    const pack = { file: await this.#makeFile(number), holds: 0, retired: false };
    if (this.#use === 'closed') { // meanwhile; the empty file goes as one that a killed process left
      await pack.file.close();
      throw new Failure('storage-failure', 'this storage is closed: it is taken out, or the process ends');
    }
    this.#open.add(pack);
    return pack;
  }

  /** When it can't be made, nobody writes it: what there is of it goes as dead packs do. */
  async #makeFile(number: number): Promise<PackFile> {
    try {
      return await PackFile.create(this.#pathOf(number), number);
    } catch (error) {
      await this.#ledger.finish(number).catch(() => undefined); // then it counts as being written until this process ends
      throw error;
    }
  }

  #retire(pack: OpenPack): void {
    if (pack.retired) return;
    pack.retired = true;
    if (pack.holds === 0) this.#finishSoon(pack);
  }

  #letGo(pack: OpenPack): void {
    pack.holds -= 1;
    if (pack.retired && pack.holds === 0) this.#finishSoon(pack);
  }

  /** Nobody waits for it: when it fails, the pack counts as being written until this process ends. */
  #finishSoon(pack: OpenPack): void {
    this.#finish(pack).catch(() => undefined);
  }

  async #finish(pack: OpenPack): Promise<void> {
    if (!this.#open.delete(pack)) return;
    await pack.file.close();
    await this.#ledger.finish(pack.file.number);
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
