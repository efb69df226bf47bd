/** Pages of an index that LMDB can't read, and commits that fail: whom it concerns hears of a failure of the storage, and who watches hears what it is. */
import { Failure } from '../../shared/base/failure.ts';

/** As LMDB names them (lmdb.h); after one of the others a transaction that is read on is `MDB_BAD_TXN`. */
const damages = /^MDB_(?:CORRUPTED|PAGE_NOTFOUND|INVALID|BAD_TXN)\b/;
const toldAgainMs = 60_000;

/** Whether LMDB says that it can't read the file. */
export function isDamage(error: unknown): boolean {
  return error instanceof Error && (damages.test(error.message) || isDamage(error.cause));
}

export class DamageWatch {
  /** Is called once a minute at most. */
  tell: (error: unknown) => void = () => undefined;
  /** Is called once a minute at most, when a commit failed for another reason: all that was in it is refused. */
  tellOfCommit: (error: unknown) => void = () => undefined;
  /** Is called whenever the index was copied, and has pages that are neither in use nor free: nobody else can see them. */
  tellOfLostPages: () => void = () => undefined;
  #toldMs = -Infinity;
  #toldOfCommitMs = -Infinity;

  during<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw this.failureOf(error);
    }
  }

  /** Of damage a `storage-failure`, whose words clients may hear: they don't say where; else the same. */
  failureOf(error: unknown): unknown {
    if (error instanceof Failure || !isDamage(error)) return error;
    const nowMs = performance.now();
    if (nowMs - this.#toldMs >= toldAgainMs) {
      this.#toldMs = nowMs;
      this.tell(error);
    }
    return new Failure('storage-failure', 'the storage is damaged; the log of its node says more', { cause: error });
  }

  /** What those hear whose changes were in a commit that failed. */
  failureOfCommit(cause: unknown): Failure {
    const damage = this.failureOf(cause);
    if (damage instanceof Failure) return damage;
    const nowMs = performance.now();
    if (nowMs - this.#toldOfCommitMs >= toldAgainMs) {
      this.#toldOfCommitMs = nowMs;
      this.tellOfCommit(cause);
    }
    return new Failure('storage-failure', 'the index could not be written', { cause });
  }
}
