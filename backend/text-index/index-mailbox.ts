/** Brings the index of one mailbox up to date: adds messages that it lacks, forgets those that are gone, joins small segments. For the indexer. */
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mailbox } from '../storage/storage.ts';
import { asideSuffix, isOf, manifestName, markWanted, namesIn, readManifest, removeFolder, setAside, writeManifest } from './index-folder.ts';
import type { Manifest } from './index-folder.ts';
import { joinable } from './joining.ts';
import { mostEntries, SegmentBuilder } from './segment-builder.ts';
import { DamagedIndex, Segment } from './segment-file.ts';
import { mergeSegments } from './segment-merge.ts';

export interface MailboxOrder {
  readonly mailbox: Mailbox;
  readonly folder: string;
  /** Fewer missing messages than this are left alone. */
  readonly least: number;
  /** Hears how many messages came in, now and then. */
  readonly report: (added: number) => void;
  readonly signal: AbortSignal;
  /** Is called after each small piece of work. */
  readonly rest?: (() => Promise<void>) | undefined;
  /** After how many entries a segment is full; `mostEntries` when absent. */
  readonly entriesPerSegment?: number | undefined;
}

export interface MailboxOutcome {
  /** Messages that came in. */
  readonly added: number;
  /** Messages that are in the mailbox, and in no segment. */
  readonly missing: number;
}

/** A segment is written anew when that part of its messages is gone, or a smaller one for so long. */
const gonePart = 1 / 8;
const goneMs = 24 * 3_600_000;
const reportEvery = 256;

interface Open {
  readonly file: string;
  readonly segment: Segment;
}

/** Reads from the storage and writes to the folder; throws when either can't be done. */
export async function indexMailbox(order: MailboxOrder): Promise<MailboxOutcome> {
  const { mailbox, folder, least } = order;
  const { mailboxId, uidValidity, highestModseq } = mailbox.state(); // before the rows: what comes in between makes another pass
  const work = new MailboxWork(folder, { mailboxId, uidValidity });
  try {
    const last = await work.open();
    if (last?.modseq === highestModseq && last.gone === 0 && last.missing < least) return { added: 0, missing: last.missing };
    await work.load();
    const uids = mailbox.rows().map(({ uid }) => uid);
    const missing = work.missing(uids);
    const alive = new Set(uids);
    const added = missing.length < least ? 0 : await add(order, work, { missing, alive });
    await work.forgetGone(alive, order.rest);
    await work.join(alive, order.rest);
    work.conclude({ modseq: highestModseq, missing: missing.length - added, gone: work.gone(uids) });
    return { added, missing: missing.length - added };
  } finally {
    await work.close();
  }
}

async function add({ mailbox, report, signal, rest, entriesPerSegment = mostEntries }: MailboxOrder, work: MailboxWork, { missing, alive }: { readonly missing: readonly number[]; readonly alive: ReadonlySet<number> }): Promise<number> {
  const read = mailbox.series();
  let builder = new SegmentBuilder(entriesPerSegment);
  for (const [index, uid] of missing.entries()) {
    signal.throwIfAborted();
    const message = read(uid);
    if (message !== undefined) await builder.add(uid, message);
    await rest?.();
    if ((index + 1) % reportEvery === 0) report(index + 1);
    if (!builder.isFull) continue;
    await work.write(builder.encode());
    builder = new SegmentBuilder(entriesPerSegment);
    await rest?.();
    await work.join(alive, rest); // who searches meanwhile reads all that there are
  }
  if (builder.messages > 0) await work.write(builder.encode());
  report(missing.length);
  return missing.length;
}

/** The index of one mailbox, open for changes. */
class MailboxWork {
  readonly #folder: string;
  readonly #identity: Pick<Manifest, 'mailboxId' | 'uidValidity'>;
  #segments: Open[] = [];
  #last: Pick<Manifest, 'modseq' | 'missing' | 'gone'> = { modseq: 0, missing: 0, gone: 0 };
  #manifest: Manifest | undefined;

  constructor(folder: string, identity: Pick<Manifest, 'mailboxId' | 'uidValidity'>) {
    this.#folder = folder;
    this.#identity = identity;
  }

  /** What the last pass found. What is damaged, or of another mailbox, is put away, and the index begins anew. */
  async open(): Promise<Manifest | undefined> {
    try {
      const manifest = await readManifest(this.#folder);
      if (manifest !== undefined && !isOf(manifest, this.#identity)) await this.#beginAnew();
      else this.#manifest = manifest;
    } catch (error) {
      if (!(error instanceof DamagedIndex)) throw error;
      await this.#beginAnew();
    }
    return this.#manifest;
  }

  /** Reads the segments. */
  async load(): Promise<void> {
    try {
      for (const { file } of this.#manifest?.segments ?? []) this.#segments.push({ file, segment: await this.#read(file) });
      this.#removeStrays();
    } catch (error) {
      if (!(error instanceof DamagedIndex)) throw error;
      await this.#beginAnew();
    }
  }

  async #beginAnew(): Promise<void> {
    await this.close();
    await setAside(this.#folder);
    await markWanted(this.#folder); // as it was, since it had an index
  }

  /** Those of the uids that no segment has. */
  missing(uids: readonly number[]): number[] {
    const known = new Set<number>();
    for (const { segment } of this.#segments) for (const uid of segment.uids) known.add(uid);
    return uids.filter((uid) => !known.has(uid));
  }

  /** How many messages of the segments are not in the mailbox any more. */
  gone(uids: readonly number[]): number {
    const alive = new Set(uids);
    return this.#segments.reduce((sum, { segment }) => sum + goneIn(segment, alive), 0);
  }

  /** Adds a segment; it counts at once. */
  async write(bytes: readonly Buffer[]): Promise<void> {
    const file = this.#save(bytes);
    this.#segments.push({ file, segment: await this.#read(file) });
    this.#publish();
  }

  /** Writes segments anew of which much is gone. */
  async forgetGone(alive: ReadonlySet<number>, rest: MailboxOrder['rest']): Promise<void> {
    for (const open of this.#segments.filter((one) => this.#isStale(one, alive))) {
      await this.#replace([open], alive);
      await rest?.();
    }
  }

  /** Joins segments of about one size. */
  async join(alive: ReadonlySet<number>, rest: MailboxOrder['rest']): Promise<void> {
    const choose = (): Open[] | undefined => joinable(this.#segments, ({ segment }) => segment.uids.length);
    for (let few = choose(); few !== undefined; few = choose()) {
      await this.#replace(few, alive);
      await rest?.();
    }
  }

  /** Notes what there is to know at the end of a pass. Without a segment there is nothing to note. */
  conclude(last: Pick<Manifest, 'modseq' | 'missing' | 'gone'>): void {
    this.#last = last;
    if (this.#segments.length > 0 || this.#manifest !== undefined) this.#publish();
  }

  async close(): Promise<void> {
    await Promise.all(this.#segments.map(async ({ segment }) => segment.close()));
    this.#segments = [];
  }

  #isStale({ file, segment }: Open, alive: ReadonlySet<number>): boolean {
    const gone = goneIn(segment, alive);
    if (gone === 0) return false;
    return gone >= segment.uids.length * gonePart || Date.now() - statSync(join(this.#folder, file)).mtimeMs > goneMs;
  }

  async #replace(old: readonly Open[], alive: ReadonlySet<number>): Promise<void> {
    const bytes = mergeSegments(old.map(({ file, segment }) => ({ segment, path: join(this.#folder, file) })), alive);
    const fresh = bytes === undefined ? [] : [this.#save(bytes)];
    const opened = await Promise.all(fresh.map(async (file) => ({ file, segment: await this.#read(file) })));
    this.#segments = [...this.#segments.filter((open) => !old.includes(open)), ...opened];
    this.#publish();
    for (const { file, segment } of old) {
      await segment.close();
      rmSync(join(this.#folder, file), { force: true });
    }
  }

  #publish(): void {
    const segments = this.#segments.map(({ file, segment }) => ({ file, messages: segment.uids.length, bytes: statSync(join(this.#folder, file)).size }));
    writeManifest(this.#folder, { ...this.#identity, ...this.#last, segments });
    removeFolder(`${this.#folder}${asideSuffix}`); // it has been made anew
  }

  /** Writes a file that nothing names yet; answers its name. */
  #save(bytes: readonly Buffer[]): string {
    const file = `${randomBytes(8).toString('hex')}.segment`;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const opened = openSync(join(this.#folder, file), 'wx', 0o600);
    try {
      for (const part of bytes) writeFileSync(opened, part);
    } finally {
      closeSync(opened);
    }
    return file;
  }

  async #read(file: string): Promise<Segment> {
    try {
      return await Segment.open(join(this.#folder, file));
    } catch (error) {
      if (error instanceof DamagedIndex) throw error;
      throw new DamagedIndex('a segment cannot be read', { cause: error });
    }
  }

  /** Files that an indexer which was killed has left. */
  #removeStrays(): void {
    const known = new Set([manifestName, ...this.#segments.map(({ file }) => file)]);
    for (const name of namesIn(this.#folder)) if (name.endsWith('.segment') && !known.has(name)) rmSync(join(this.#folder, name), { force: true });
  }
}

function goneIn(segment: Segment, alive: ReadonlySet<number>): number {
  return segment.uids.reduce((sum, uid) => (alive.has(uid) ? sum : sum + 1), 0);
}
