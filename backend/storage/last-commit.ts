/**
 * Whether a transaction goes on from the last commit. A process that opens an environment reads which commit is the last, maps the file, and then tells all other
 * processes the number that it had read, without any lock (LMDB as of lmdb 3.5.6, `mdb_env_open2`). If another process has committed meanwhile, the next transaction would begin
 * where that one began: its commit, which was answered, would be gone, and pages that are in use be written over. Seen so, and as a SIGSEGV. The gate of commits keeps it from happening;
 * versions of Waybill that lack it may be at work beside this one.
 */
import { writeSync } from 'node:fs';
import type { RootDatabase } from 'lmdb';

/** What the binding's types leave out. Its `getStats` asks for three structures more, in the lock of all writers: 5.6 instead of 1.2 µs, alone and hot. */
interface Handle {
  readonly env: { info(): { readonly lastTxnId: number } };
}

/**
 * Ends this process when the transaction that it is in, and so no other process, does not go on from the last commit. What dies in a transaction gives
 * its lock to the next with the right number, which LMDB then takes from the file: nothing else sets it right.
 */
export function endUnlessLast(root: RootDatabase<Buffer, (string | number)[]>): void {
  const { lastTxnId } = (root as typeof root & Handle).env.info();
  if (root.getWriteTxnId() === lastTxnId + 1) return;
  writeSync(process.stderr.fd, 'waybill: this process ends, so that an index goes on from its last commit, which one that was opening it has hidden\n');
  process.kill(process.pid, 'SIGKILL');
}
