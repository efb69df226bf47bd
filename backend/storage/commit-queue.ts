/** Actions that wait for a transaction of their environment: one has all that have queued up when it begins, and what LMDB gives up for no fault of theirs is in the next one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Thrown } from './write-batch.ts';
import type { Queued } from './write-batch.ts';

/** The environment, as the queue sees it. */
export interface CommitGround {
  /** Runs `work` alone among the writers of all processes; resolves once what it wrote is on stable storage. Rejects with what `work` threw, or with the binding's word for a commit that failed. */
  readonly transact: (work: () => readonly (() => void)[]) => Promise<readonly (() => void)[]>;
  /** Runs the actions inside the transaction, see `runBatch`. */
  readonly run: (batch: readonly Queued[]) => readonly (() => void)[];
  /** Ends the process where LMDB can't go on after a commit that failed; before anything else is tried. */
  readonly endIfPanicked: () => void;
  /** What those hear whose changes were in a commit that failed. */
  readonly failureOf: (cause: unknown) => unknown;
}

/** The order in which actions came. */
type Numbered = Queued & { readonly number: number };

interface GivenUp {
  readonly batch: readonly Numbered[];
  readonly cause: unknown;
}

/** So often an action that is alone in its transaction is tried. */
const mostTries = 5;
/** Between these tries, milliseconds: commits of other processes change what the binding stumbles over. */
const pauseMs = 20;

export class CommitQueue {
  readonly #ground: CommitGround;
  #queue: Numbered[] = [];
  /** Those of transactions that LMDB gave up, in their order; undefined when there is none. Until all of them have been told, one transaction follows the other. */
  #again: Numbered[] | undefined;
  #added = 0;

  constructor(ground: CommitGround) {
    this.#ground = ground;
  }

  /** Answers whether it is the first: then `commit` has to be called, with which it is committed, and all that come before it begins. */
  add({ run, reject }: Queued): 'first' | 'behind others' {
    this.#queue.push({ run, reject, number: ++this.#added });
    return this.#queue.length === 1 ? 'first' : 'behind others';
  }

  /** One transaction for all that have queued up when it begins: which may be a while, as other processes write, too. */
  async commit(): Promise<void> {
    const givenUp = await this.#transact(() => (this.#again === undefined ? this.#queue.splice(0) : []));
    if (givenUp === undefined) return;
    if (this.#again === undefined) return this.#goThrough(givenUp.batch);
    this.#again = inOrder([...this.#again, ...givenUp.batch]);
  }

  /** Smaller transactions, which change less of the list: after one that LMDB gave up half as many actions each time, then twice as many until nobody waits. */
  async #goThrough(batch: readonly Numbered[]): Promise<void> {
    this.#again = [...batch];
    let most = half(batch.length);
    let triesAlone = 0;
    while (this.#again.length > 0 || this.#queue.length > 0) {
      this.#again.push(...this.#queue.splice(0));
      const givenUp = await this.#transact(() => this.#again?.splice(0, most) ?? []);
      triesAlone = givenUp?.batch.length === 1 ? triesAlone + 1 : 0;
      most = givenUp === undefined ? most * 2 : half(givenUp.batch.length);
      if (givenUp === undefined) continue;
      if (triesAlone === mostTries) {
        this.#refuse(givenUp);
        triesAlone = 0;
        continue;
      }
      this.#again = inOrder([...givenUp.batch, ...this.#again]);
      if (triesAlone > 0) await sleep(pauseMs);
    }
    this.#again = undefined;
  }

  /** Answers what LMDB gave up for no fault of what was in it; all others have been told. */
  async #transact(take: () => readonly Numbered[]): Promise<GivenUp | undefined> {
    const { transact, run, endIfPanicked } = this.#ground;
    let batch: readonly Numbered[] = [];
    try {
      const answers = await transact(() => run(batch = take()));
      for (const tell of answers) tell();
    } catch (error) {
      if (error instanceof Thrown) return void error.tellCaller();
      endIfPanicked();
      const cause = await commitError(error);
      const all = batch.length > 0 ? batch : take(); // it may have failed as it began
      if (isPassing(cause) && all.length > 0) return { batch: all, cause };
      this.#refuse({ batch: all, cause });
    }
    return undefined;
  }

  #refuse({ batch, cause }: GivenUp): void {
    const failure = this.#ground.failureOf(cause);
    for (const { reject } of batch) reject(failure);
  }
}

function half(count: number): number {
  return Math.ceil(count / 2);
}

function inOrder(actions: readonly Numbered[]): Numbered[] {
  return actions.toSorted((one, other) => one.number - other.number);
}

/** Why a commit failed: the binding says it by a second promise, which must not be left unheard. */
async function commitError(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && 'commitError' in error && error.commitError instanceof Promise)) return error;
  const reason = error.commitError.catch((cause: unknown) => cause);
  const soon = new Promise((resolve) => setImmediate(resolve, error));
  return Promise.race([reason, soon]);
}

/** What lmdb 3.5.6 says when it stumbles over its list of free pages. The last of them it says, too, where an action met a page that can't be read: without that action the others go on. */
const stumbles = /^MDB_(?:BAD_VALSIZE|NOTFOUND|BAD_TXN)\b/;

/**
 * Whether that commit failed by a fault of the binding's that another does not meet: while it stores its list of free pages it wants a page for that, looks
 * for one in the very part that it is changing (`mdb_page_alloc` in mdb.c, backwards), meets an empty key there or none, and gives the transaction up, with
 * what it had read of the list. A key or value of ours that is of a wrong size is refused as its action puts it, not by the commit.
 */
function isPassing(cause: unknown): boolean {
  return cause instanceof Error && stumbles.test(cause.message);
}
