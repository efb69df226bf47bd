/** Pages of an index that LMDB can't read: whoever needs them hears of a failure of the storage, and who watches hears what it is. */
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
  #toldMs = -Infinity;

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
}
