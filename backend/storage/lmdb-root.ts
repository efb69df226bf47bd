/** The only place that opens LMDB, so that every process has it with the options on which the promises of environments rest; and the one state in which it can't go on. */
import { open } from 'lmdb';
import type { RootDatabase } from 'lmdb';
import { isDamage } from './index-damage.ts';
import type { LmdbKey } from './lmdb-table.ts';

export type Root = RootDatabase<Buffer, LmdbKey>;

/** The virtual address space of one environment, bytes: its upper size. Costs nothing until used. */
export const mapBytes = 64 * 2 ** 30;

/** @param path of the environment's directory. @throws what LMDB says */
export function openRoot(path: string): Root {
  return open<Buffer, LmdbKey>({
    path,
    encoding: 'binary',
    maxDbs: 32,
    maxReaders: 1024, // one for each process and thread; LMDB's 126 are soon used up by workers that were killed
    mapSize: mapBytes,
    overlappingSync: false, // a commit is flushed before any process can see it
    noSubdir: false,
    eventTurnBatching: false, // transactions group without it, faster; with it a failed commit rejects a promise that nobody can reach
  });
}

/**
 * After a failed write of the file's header LMDB refuses all work of this process, its binding (3.5.6) has damaged its
 * memory, and the next write, even the orderly end of the process, would wait for ever. So it ends here, before anything
 * else is tried: as after any crash, what was not answered is open, and the supervisor starts another worker.
 */
export function endIfPanicked(root: Root): void {
  try {
    root.resetReadTxn();
    root.getBinary(['']);
  } catch (error) {
    if (!isDamage(error)) process.kill(process.pid, 'SIGKILL'); // even a read fails: that is LMDB's MDB_PANIC
  }
}
