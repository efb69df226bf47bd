/**
 * Keeps the text index of a node up to date, in the one worker that is appointed for it: hears which accounts have changed, waits a
 * while for more, and starts the indexer. Nothing waits for any of it; a pass that fails is made again.
 */
import { existsSync } from 'node:fs';
import type { Logger } from '../../shared/log/log.ts';
import type { ChangeHint, HintBus, Service } from '../../shared/service/service.ts';
import { ChangedAccounts } from './changed-accounts.ts';
import { backlog, indexed, passes, passSeconds } from './counters.ts';
import { folderOf, foldersIn, rootOf } from './index-folder.ts';
import type { StandingOrder } from './indexer-notice.ts';
import type { NodeLoad } from './indexer-pace.ts';
import { runIndexer } from './run-indexer.ts';
import type { IndexerRun } from './run-indexer.ts';

export interface TextIndexingOptions {
  readonly order: StandingOrder;
  readonly hints: Pick<HintBus, 'subscribe'>;
  readonly log: Logger;
  /** From a change to the pass that sees it, and between two passes. */
  readonly delayMs: number;
  /** Starts the indexer; `runIndexer` when absent. */
  readonly run?: typeof runIndexer;
}

/** A pass over everything: it finds what no hint told of, and removes what is out of use. */
const wholeEveryMs = 3_600_000;

/** While so many changes come in a second, the indexer rests more than it works: the machine has better things to do. */
const busyPerSecond = 100;
const loadEveryMs = 1000;

export class TextIndexing implements Service {
  readonly name = 'textIndex';
  readonly #options: TextIndexingOptions;
  readonly #unsubscribe: () => void;
  readonly #whole: NodeJS.Timeout;
  readonly #changed = new ChangedAccounts();
  #timer: NodeJS.Timeout | undefined;
  #run: IndexerRun | undefined;
  #state: 'live' | 'stopped' = 'live';
  /** Changes since the last look, and when that was. */
  #heard = { changes: 0, sinceMs: performance.now() };

  constructor(options: TextIndexingOptions) {
    this.#options = options;
    this.#unsubscribe = options.hints.subscribe((hint) => this.#note(hint));
    this.#whole = setInterval(() => this.#noteAll(), wholeEveryMs).unref();
    this.#noteAll();
  }

  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#unsubscribe();
    clearInterval(this.#whole);
    clearTimeout(this.#timer);
    this.#run?.stop();
    await this.#run?.ended.catch(() => undefined); // it was cut
  }

  async retire(): Promise<void> {
    return this.stop();
  }

  #note({ account, mailbox, changes = 1 }: ChangeHint): void {
    this.#heard.changes += changes;
    if (this.#changed.isAll || !this.#hasIndex(mailbox)) return;
    this.#changed.note(account, performance.now());
    this.#plan();
  }

  /** Where only searched mailboxes have one, nobody starts for the others. */
  #hasIndex(mailbox: number | undefined): boolean {
    const { indexed: which, directories } = this.#options.order;
    return which === 'all' || directories.some((directory) => (mailbox === undefined ? foldersIn(rootOf(directory)).length > 0 : existsSync(folderOf({ directory, id: mailbox }))));
  }

  #noteAll(): void {
    this.#changed.noteAll(performance.now());
    this.#plan();
  }

  #plan(): void {
    if (this.#timer !== undefined || this.#run !== undefined || this.#state === 'stopped') return;
    this.#timer = setTimeout(() => void this.#pass(), this.#options.delayMs).unref();
  }

  async #pass(): Promise<void> {
    const { order, log, run = runIndexer } = this.#options;
    const changed = this.#changed.take();
    const { accounts, sinceMs } = changed;
    this.#timer = undefined;
    if (!this.#hasIndex(undefined)) return;
    const beganMs = performance.now();
    const haste = { is: 'behind', sinceMs: Math.max(0, beganMs - sinceMs) } as const;
    try {
      this.#run = run({ ...order, extent: 'as-configured', begin: 'with-what-is-there', haste, ...(accounts === 'all' ? {} : { accounts: [...accounts] }) }, (notice) => {
        if (notice.is === 'trouble') log.error({ folder: notice.folder, reason: notice.reason }, 'a mailbox, or all of a storage, could not be indexed');
      });
      const end = await this.#whilePaced(this.#run);
      passes.add({ result: end.is });
      if (end.is === 'done') {
        indexed.add({}, end.added);
        backlog.set({}, end.missing);
      } else this.#changed.takeBack(changed);
    } catch (error) {
      if (this.#state === 'live') {
        passes.add({ result: 'failed' });
        log.error({ err: error }, 'the text index could not be brought up to date; searches look into messages meanwhile');
        this.#changed.takeBack(changed);
      }
    }
    passSeconds.add({}, (performance.now() - beganMs) / 1000);
    this.#run = undefined;
    if (!this.#changed.isEmpty) this.#plan();
  }

  /** Tells the indexer how busy the node is until it has ended. */
  async #whilePaced(run: IndexerRun): Promise<Awaited<IndexerRun['ended']>> {
    run.tell(this.#load());
    const telling = setInterval(() => run.tell(this.#load()), loadEveryMs);
    try {
      return await run.ended;
    } finally {
      clearInterval(telling);
    }
  }

  /** By the changes since the last look. */
  #load(): NodeLoad {
    const seconds = (performance.now() - this.#heard.sinceMs) / 1000;
    const load = this.#heard.changes / seconds > busyPerSecond ? 'busy' : 'calm';
    this.#heard = { changes: 0, sinceMs: performance.now() };
    return load;
  }
}
