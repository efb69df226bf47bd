/** The account of packs in the index: who writes each, and how many bytes in it are live. `retain` and `release` run inside the environment's `write`. */
import { randomBytes } from 'node:crypto';
import { keysUnder } from './environment.ts';
import type { Environment, Table } from './environment.ts';
import { KeptEntries } from './kept-entries.ts';
import type { PackPlace } from './packs.ts';
import { isAlive, thisProcess } from '../../shared/base/process-identity.ts';

/** What is recorded of a pack. */
interface PackEntry {
  /** The process that writes it; null when it is finished. */
  readonly writer: string | null;
  readonly liveBytes: number;
  /** Since when nothing in it is live, milliseconds since 1970. */
  readonly idleSinceMs: number;
}

const counterKey = ['next'];
/** [this, id] → the process that reads packs of an earlier commit. */
const readers = 'readers';

export class PackLedger {
  readonly #environment: Environment;
  readonly #table: Table;
  /** That of the pack being written is asked for with each message. */
  readonly #kept = new KeptEntries<PackEntry>();

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#table = environment.table('packs');
  }

  /** A number that no pack of this environment ever had, recorded as being written by this process. */
  allocate(): Promise<number> {
    return this.#environment.write(() => {
      const number = this.#table.get(counterKey)?.readUInt32LE(0) ?? 1;
      const next = Buffer.alloc(4);
      next.writeUInt32LE(number + 1);
      this.#table.put(counterKey, next);
      this.#put(number, { writer: thisProcess(), liveBytes: 0, idleSinceMs: Date.now() });
      return number;
    });
  }

  /** This process writes the pack no more. */
  finish(number: number): Promise<void> {
    return this.#environment.write(() => {
      const entry = this.#get(number);
      if (entry !== undefined) this.#put(number, { ...entry, writer: null });
    });
  }

  retain(place: PackPlace): void {
    this.#add(place.pack, place.length);
  }

  release(place: PackPlace): void {
    this.#add(place.pack, -place.length);
  }

  /** No pack counts as dead until what this answers is called, or this process has ended. */
  async hold(): Promise<() => Promise<void>> {
    const key = [readers, randomBytes(6).toString('hex')];
    await this.#environment.write(() => {
      for (const { key: old, value } of this.#table.range(keysUnder([readers]))) if (!isAlive(value.toString())) this.#table.remove(old);
      this.#table.put(key, Buffer.from(thisProcess()));
    });
    return async () => this.#environment.write(() => this.#table.remove(key));
  }

  /** Packs that nobody writes and in which nothing was live for `idleMs`: nothing in them can come to life again. Also in `read`. */
  dead(idleMs: number): number[] {
    if (this.#table.range(keysUnder([readers])).some(({ value }) => isAlive(value.toString()))) return [];
    const dead = this.all().filter(({ entry }) =>
      entry.liveBytes === 0 && entry.idleSinceMs <= Date.now() - idleMs && (entry.writer === null || !isAlive(entry.writer)));
    return dead.map(({ number }) => number);
  }

  /** Forgets packs whose files are gone; answers how many were still known. */
  strike(numbers: readonly number[]): Promise<number> {
    return this.#environment.write(() => {
      const known = numbers.filter((number) => this.#get(number) !== undefined);
      for (const number of known) this.#table.remove([number]);
      return known.length;
    });
  }

  /** Sets what lives in each pack; packs that nobody knew are known from now on, and no new one gets the number of any. Only inside `write`. */
  recount(liveBytes: ReadonlyMap<number, number>): void {
    const known = new Map(this.all().map(({ number, entry }) => [number, entry]));
    for (const number of new Set([...known.keys(), ...liveBytes.keys()])) {
      const live = liveBytes.get(number) ?? 0;
      const entry = known.get(number) ?? { writer: null, liveBytes: -1, idleSinceMs: Date.now() };
      if (entry.liveBytes !== live) this.#put(number, { ...entry, liveBytes: live, idleSinceMs: Date.now() });
    }
    this.keepClearOf(Math.max(0, ...known.keys(), ...liveBytes.keys()));
  }

  /** A pack that the index may not know yet: it is finished, and nothing in it lives so far. Only inside `write`. */
  know(number: number): void {
    if (this.#get(number) === undefined) this.#put(number, { writer: null, liveBytes: 0, idleSinceMs: Date.now() });
    this.keepClearOf(number);
  }

  /** No new pack gets that number or one below it. Only inside `write`. */
  keepClearOf(number: number): void {
    if ((this.#table.get(counterKey)?.readUInt32LE(0) ?? 1) > number) return;
    const next = Buffer.alloc(4);
    next.writeUInt32LE(number + 1);
    this.#table.put(counterKey, next);
  }

  /** Every pack, ascending. Also in `read`. */
  all(): { readonly number: number; readonly entry: PackEntry }[] {
    return this.#table.range({ from: [0], to: counterKey }).map(({ key, value }) => ({ number: Number(key[0]), entry: decode(value) }));
  }

  #add(number: number, bytes: number): void {
    const entry = this.#get(number);
    if (entry === undefined) throw new Error(`pack ${number} is not in the index`);
    const liveBytes = entry.liveBytes + bytes;
    if (liveBytes < 0) throw new Error(`pack ${number} would hold ${liveBytes} live bytes`);
    this.#put(number, { ...entry, liveBytes, idleSinceMs: Date.now() });
  }

  #get(number: number): PackEntry | undefined {
    const value = this.#table.peek([number]);
    return value === undefined ? undefined : this.#kept.decode(number, value);
  }

  #put(number: number, entry: PackEntry): void {
    const bytes = Buffer.from(JSON.stringify(entry));
    this.#table.put([number], bytes);
    this.#kept.keep(number, { bytes, entry });
  }
}

function decode(value: Buffer): PackEntry {
  return JSON.parse(value.toString()) as PackEntry;
}
