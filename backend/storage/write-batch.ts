/** Runs actions that share a transaction: what one of them wrote before it threw is gone, and its neighbours have their own. */
import type { GatheringTable } from './gathering-table.ts';
import type { WriteJournal } from './lmdb-table.ts';

/** An action that waits for the next transaction. */
export interface Queued {
  /** Answers how its caller hears of it once it is committed. */
  readonly run: () => () => void;
  readonly reject: (error: unknown) => void;
}

/** Ends the transaction of an action that threw and had it for itself: nothing of it stays. */
export class Thrown extends Error {
  readonly tellCaller: () => void;

  constructor(tellCaller: () => void) {
    super('an action threw');
    this.tellCaller = tellCaller;
  }
}

/** Answers how the callers hear of it once all is committed. Throws `Thrown` where the transaction has to be given up. */
export function runBatch(batch: readonly Queued[], journal: WriteJournal, gathering: readonly GatheringTable[]): readonly (() => void)[] {
  const [only] = batch;
  try {
    const answers = batch.length === 1 && only !== undefined ? [runAlone(only)] : batch.map((queued) => runAmongOthers(queued, journal));
    for (const table of gathering) table.finish();
    return answers;
  } finally {
    for (const table of gathering) table.forget();
  }
}

/** LMDB takes everything back; copies of what was there before cost a large change more time (4 % by the least of several rounds, 15 % by the middle one). */
function runAlone({ run, reject }: Queued): () => void {
  try {
    return run();
  } catch (error) {
    throw new Thrown(() => reject(error));
  }
}

/** What it wrote before it threw is undone by hand. A transaction of LMDB's within the other for each costs far more. */
function runAmongOthers({ run, reject }: Queued, journal: WriteJournal): () => void {
  journal.begin();
  try {
    return run();
  } catch (error) {
    journal.undo();
    return () => reject(error);
  } finally {
    journal.end();
  }
}
