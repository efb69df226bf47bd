/**
 * Named tables of binary values under ordered keys (LMDB), reads that see the last commit, and writes that are
 * all-or-nothing and on stable storage when their promise resolves. Other rooms use it through the face.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../shared/base/failure.ts';
import { ActionMemory } from './action-memory.ts';
import { betweenCommits, CommitGate } from './commit-gate.ts';
import { CommitQueue } from './commit-queue.ts';
import { flush, makeDirectory } from './directories.ts';
import { alone, closeAlone, environmentFile, provideFile } from './environment-file.ts';
import { endUnlessLast } from './last-commit.ts';
import { LateWrites } from './late-writes.ts';
import { GatheringTable } from './gathering-table.ts';
import { DamageWatch } from './index-damage.ts';
import { endIfPanicked, mapBytes, openRoot } from './lmdb-root.ts';
import type { Root } from './lmdb-root.ts';
import { closed, LmdbTable, noJournal, tableOptions, WriteJournal } from './lmdb-table.ts';
import type { LmdbKey, Records, Use } from './lmdb-table.ts';
import type { Table } from './table.ts';
import { workBegins, workEnds } from './unfinished-work.ts';
import { usedBytes } from './used-pages.ts';
import { runBatch } from './write-batch.ts';
import { LockWait, lockedUntil, putLock, removeLock } from './write-lock.ts';
import type { LockEnd } from './write-lock.ts';

export { keysUnder, type Key, type KeyRange, type Table } from './table.ts';

/** One LMDB environment, shared by all processes of a node that open the same path. */
export interface Environment {
  readonly path: string;
  /** The table of that name; made when it is missing, while no other process opens this environment. At most 32 tables. Throws `storage-failure`. */
  table(name: string): Table;
  /** Runs `action` on one snapshot: the last commit of any process at this moment. */
  read<T>(action: () => T): T;
  /** Runs `action`, all of whose reads see the snapshot of its first. It must be synchronous. */
  atOneMoment<T>(action: () => T): T;
  /**
   * Runs `action` alone among the writers of all processes; what it wrote is committed wholly, or not at all when it
   * throws. Resolves after the flush; many calls share one flush. `action` must be synchronous, and may run later; once more, too,
   * when LMDB gave its transaction up: what it does outside of tables has to come to the same then.
   * Rejects with what `action` threw, `storage-failure` when the commit failed, or `in-use` when the environment stayed locked
   * for as long as `wait` goes on, which begins now when absent.
   */
  write<T>(action: () => T, wait?: LockWait): Promise<T>;
  /** As `write`, for what is in no hurry: goes along with the next write of this process, by itself after a second or at the end. */
  writeAlong<T>(action: () => T): Promise<T>;
  /** What waits for a write to go along with is written now. */
  hurry(): void;
  /** From its end on nothing is written by any process until `unlock`, or until that time (milliseconds since 1970): writers wait. Locking again moves the time. */
  lock(untilMs: number): Promise<void>;
  unlock(): Promise<LockEnd>;
  /** Until when it is locked, 0 when it is not. */
  lockedUntil(): number;
  /** Makes `directory` an environment of its own with what was committed last, on stable storage when it resolves; nobody waits for it. */
  copyTo(directory: string): Promise<void>;
  /** The same without free pages, `usedBytes` large. LMDB makes none where pages are neither in use nor free, as a commit whose flush failed was seen to leave some. */
  compactTo(directory: string): Promise<'done' | 'lost pages'>;
  /** Of all pages that are in use. */
  usedBytes(): number;
  /** Of pages of the file that can't be read. */
  readonly damage: DamageWatch;
  /** Waits for running writes and copies. Whoever comes later is refused with `storage-failure`. */
  close(): Promise<void>;
}

/**
 * Opens the environment at `path` (a directory, made when it is missing) with these tables, which are made when they are
 * missing. One process at a time does this, the others wait. Throws `storage-failure`.
 * @param gathered those of them whose entries are written once in a transaction, however many actions change them
 */
export function openEnvironment(path: string, tables: readonly string[] = [], gathered: readonly string[] = []): Environment {
  try {
    makeDirectory(path);
    return alone(path, () => {
      provideFile(path, (draft) => void openRoot(draft).close(), mapBytes); // closed at once, since nothing was written
      const root = betweenCommits(path, () => openRoot(path));
      root.readerCheck(); // frees the places of readers that were killed
      root.transactionSync(() => endUnlessLast(root)); // a version without the gate would have to end otherwise, or show what was before
      return new LmdbEnvironment(path, root, { tables, gathered });
    });
  } catch (error) {
    throw error instanceof Failure ? error : new Failure('storage-failure', `the index in ${path} cannot be opened`, { cause: error });
  }
}

class LmdbEnvironment implements Environment {
  readonly path: string;
  readonly #root: Root;
  readonly #tables = new Map<string, Table>();
  readonly #gathering: GatheringTable[] = [];
  readonly #lock: Table;
  readonly #use: Use = { stage: 'open' };
  /** Which snapshot the next read sees: `kept` is that of the one before. */
  #snapshot: 'new' | 'new, then kept' | 'kept' = 'new';
  /** Commits and copies that run, those that are queued up among them, and who waits for the last of them: the files are closed after it. */
  #running = 0;
  #atRest: (() => void) | undefined;
  readonly #journal = new WriteJournal();
  #isLocked = false; // when the transaction began that runs: who locks in it is in one commit with those behind him
  readonly #memory = new ActionMemory();
  readonly #queue = new CommitQueue({
    transact: async (work) => this.#gate.through(async () => this.#root.childTransaction(() => {
      endUnlessLast(this.#root);
      this.#isLocked = lockedUntil(this.#lock) > Date.now();
      return work();
    })),
    run: (batch) => runBatch(batch, this.#journal, this.#gathering),
    endIfPanicked: () => { if (this.#use.stage !== 'closed') endIfPanicked(this.#root); },
    failureOf: (cause) => (this.#use.stage === 'closed' ? closed() : this.damage.failureOfCommit(cause)),
  });
  readonly #late = new LateWrites();
  readonly #gate: CommitGate;
  readonly damage = new DamageWatch();

  /** Only while no other process opens the environment. */
  constructor(path: string, root: Root, { tables, gathered }: { readonly tables: readonly string[]; readonly gathered: readonly string[] }) {
    this.path = path;
    this.#root = root;
    this.#gate = new CommitGate(path);
    this.#lock = this.#open('lock');
    for (const name of gathered) this.#openGathering(name);
    for (const name of tables) this.#open(name);
  }

  table(name: string): Table {
    return this.#tables.get(name) ?? alone(this.path, () => this.#open(name));
  }

  #open(name: string): Table {
    const table = this.#tables.get(name) ?? new LmdbTable(this.#openDatabase(name), { journal: this.#journal, memory: this.#memory, use: this.#use });
    this.#tables.set(name, table);
    return table;
  }

  #openGathering(name: string): void {
    const table = new GatheringTable(new LmdbTable(this.#openDatabase(name), { journal: noJournal, memory: this.#memory, use: this.#use }), this.#journal);
    this.#gathering.push(table);
    this.#tables.set(name, table);
  }

  #openDatabase(name: string): Records {
    try {
      return this.#root.openDB<Buffer, LmdbKey>({ name, ...tableOptions });
    } catch (error) {
      throw new Failure('storage-failure', `a table of the index in ${this.path} cannot be opened`, { cause: error }); // making one is a commit
    }
  }

  read<T>(action: () => T): T {
    this.#demandOpen();
    if (this.#snapshot !== 'kept') this.#root.resetReadTxn(); // lmdb keeps one snapshot for a while; a hint from another process may be newer
    if (this.#snapshot === 'new, then kept') this.#snapshot = 'kept';
    return this.damage.during(action);
  }

  atOneMoment<T>(action: () => T): T {
    if (this.#snapshot !== 'new') return action();
    this.#snapshot = 'new, then kept';
    try {
      return action();
    } finally {
      this.#snapshot = 'new';
    }
  }

  async write<T>(action: () => T, wait = new LockWait()): Promise<T> {
    this.hurry(); // in the same turn, so that one commit has both
    for (;;) {
      this.#demandOpen();
      const outcome = await this.#commit(() => (this.#isLocked ? 'locked' : { value: action() }));
      if (outcome !== 'locked') return outcome.value;
      await wait.pause();
    }
  }

  async writeAlong<T>(action: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#late.add(() => void this.write(action).then(resolve, reject));
    });
  }

  hurry(): void {
    this.#late.hurry();
  }

  async lock(untilMs: number): Promise<void> {
    this.#demandOpen();
    await this.#commit(() => putLock(this.#lock, untilMs));
  }

  async unlock(): Promise<LockEnd> {
    this.#demandOpen();
    return this.#commit(() => removeLock(this.#lock));
  }

  lockedUntil(): number {
    const untilMs = this.read(() => lockedUntil(this.#lock));
    return untilMs > Date.now() ? untilMs : 0;
  }

  /** Where pages are lost the copy has them, too: what it holds is for the check to say. */
  async copyTo(directory: string): Promise<void> {
    if ((await this.compactTo(directory)) === 'done') return;
    this.damage.tellOfLostPages();
    await this.#copy(directory, 'all pages');
  }

  async compactTo(directory: string): Promise<'done' | 'lost pages'> {
    try {
      return await this.#copy(directory, 'used pages');
    } catch (error) {
      if (!(error instanceof Failure && error.cause instanceof Error && error.cause.message.startsWith('MDB_INCOMPATIBLE'))) throw error; // "page leak or corrupt DB"
      rmSync(join(directory, environmentFile));
      return 'lost pages';
    }
  }

  async #copy(directory: string, which: 'used pages' | 'all pages'): Promise<'done'> {
    this.#demandOpen();
    try {
      makeDirectory(directory);
      await this.#counted(async () => this.#root.backup(directory, which === 'used pages'));
      flush(join(directory, environmentFile));
      flush(directory);
      return 'done';
    } catch (error) {
      throw new Failure('storage-failure', 'the index could not be copied', { cause: error });
    }
  }

  usedBytes(): number {
    this.#demandOpen();
    return usedBytes(this.#root);
  }

  /** The files may not be closed meanwhile. */
  async #counted<T>(work: () => Promise<T>): Promise<T> {
    this.#running += 1;
    workBegins();
    try {
      return await work();
    } finally {
      this.#running -= 1;
      workEnds();
      if (this.#running === 0) this.#atRest?.();
    }
  }

  #commit<T>(action: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const run = (): (() => void) => {
        const value = this.damage.during(() => this.#memory.during(action));
        return () => resolve(value);
      };
      if (this.#queue.add({ run, reject }) === 'first') void this.#counted(async () => this.#queue.commit());
    });
  }

  async close(): Promise<void> {
    this.hurry();
    if (this.#use.stage === 'open') this.#use.stage = 'closing';
    if (this.#running > 0) await new Promise<void>((resolve) => { this.#atRest = resolve; });
    this.#use.stage = 'closed'; // from here on: whoever reads while LMDB closes is told so, too
    this.#gate.close();
    await closeAlone(this.path, async () => this.#root.close());
  }

  #demandOpen(): void {
    if (this.#use.stage !== 'open') throw closed();
  }
}
