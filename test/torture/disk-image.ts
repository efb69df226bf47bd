/**
 * The disk as a power cut may leave it: what was flushed is there; each sector of what was not holds any state that it
 * went through since; names that were not flushed are there or not.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Dice } from './dice.ts';
import type { DiskEvent } from './disk-trace.ts';

/** What becomes of what was not flushed: lost, all there, or each sector and name by chance. */
export type Remains = 'nothing' | 'everything' | 'by chance';

/** A disk writes this many bytes wholly or not at all. */
const sectorBytes = 512;

type Write = Extract<DiskEvent, { kind: 'write' }>;
type Naming = Exclude<DiskEvent, { kind: 'write' | 'flush' }>;

export class PoweredDisk {
  readonly #root: string;
  readonly #events: readonly DiskEvent[];
  readonly #flushes = new Map<string, Extract<DiskEvent, { kind: 'flush' }>[]>();

  /** @param root the directory that was watched. */
  constructor(root: string, events: readonly DiskEvent[]) {
    this.#root = root;
    this.#events = events;
    for (const event of events) if (event.kind === 'flush') this.#flushes.set(event.path, [...(this.#flushes.get(event.path) ?? []), event]);
  }

  /** Makes the files below `into` as of a cut at that line of the trace. */
  rebuild(into: string, cut: { readonly at: number; readonly remains: Remains; readonly dice: Dice }): void {
    const done = this.#events.filter(({ begin }) => begin <= cut.at);
    const files = new Map<string, string>();
    for (const [path, content] of this.#namesAt(done, cut)) {
      if (content === 'directory') mkdirSync(this.#inside(into, path), { recursive: true });
      else files.set(path, content);
    }
    for (const [path, content] of files) {
      const writes = done.filter((event): event is Write => event.kind === 'write' && event.path === content);
      this.#writeFile(this.#inside(into, path), writes, cut);
    }
  }

  #inside(into: string, path: string): string {
    return join(into, relative(this.#root, path));
  }

  /** Name → `directory`, or the first name of the file that is found there. A name whose directory is lost is lost, too. */
  #namesAt(done: readonly DiskEvent[], { at, remains, dice }: { readonly at: number; readonly remains: Remains; readonly dice: Dice }): ReadonlyMap<string, string> {
    const namings = done.filter((event): event is Naming => event.kind !== 'write' && event.kind !== 'flush');
    const names = new Map<string, string>();
    const stuck = new Set<string>();
    for (const event of namings) {
      const isFlushed = this.#isFlushed(event, { by: dirname(event.path), at });
      const isThere = isFlushed || remains === 'everything' || (remains === 'by chance' && dice.oneIn(2));
      if (!isThere) stuck.add(event.path); // what was done to this name later has not happened either
      if (!isThere || stuck.has(event.path)) continue;
      if (event.kind === 'remove') names.delete(event.path);
      else names.set(event.path, event.kind === 'make directory' ? 'directory' : event.kind === 'link' ? event.from : event.path);
    }
    const isReachable = (path: string): boolean => path === this.#root || (names.get(path) === 'directory' && isReachable(dirname(path)));
    return new Map([...names].filter(([path]) => path !== this.#root && isReachable(dirname(path))));
  }

  #isFlushed({ end }: DiskEvent, { by, at }: { readonly by: string; readonly at: number }): boolean {
    return this.#flushes.get(by)?.some((flush) => flush.begin > end && flush.end <= at) ?? false;
  }

  #writeFile(path: string, writes: readonly Write[], { at, remains, dice }: { readonly at: number; readonly remains: Remains; readonly dice: Dice }): void {
    const file = openSync(path, 'w', 0o600);
    const isSafe = (write: Write): boolean => (write.synced === 'yes' && write.end <= at) || this.#isFlushed(write, { by: write.path, at });
    for (const write of writes) if (isSafe(write)) writeSync(file, write.bytes, 0, write.bytes.length, write.offset);
    const loose = remains === 'nothing' ? [] : writes.filter((write) => !isSafe(write));
    /** Sectors that got stuck in an earlier state. */
    const stuck = new Set<number>();
    for (const write of loose) {
      for (const { sector, bytes, offset } of sectorsOf(write)) {
        if (remains === 'by chance' && dice.oneIn(2)) stuck.add(sector);
        if (!stuck.has(sector)) writeSync(file, bytes, 0, bytes.length, offset);
      }
    }
    closeSync(file);
  }
}

function* sectorsOf({ bytes, offset }: Write): Generator<{ readonly sector: number; readonly bytes: Buffer; readonly offset: number }> {
  for (let done = 0; done < bytes.length; ) {
    const sector = Math.floor((offset + done) / sectorBytes);
    const length = Math.min(bytes.length - done, (sector + 1) * sectorBytes - offset - done);
    yield { sector, bytes: bytes.subarray(done, done + length), offset: offset + done };
    done += length;
  }
}
