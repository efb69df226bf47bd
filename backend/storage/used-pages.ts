/** How much of an environment's file is in use: what a copy without free pages takes. */
import type { RootDatabase } from 'lmdb';

/** What LMDB says of one tree (`MDB_stat` of lmdb.h). */
interface TreeStats {
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

interface RootStats extends TreeStats {
  /** Bytes. */
  readonly pageSize: number;
}

/** At the beginning of the file, whatever is in it. */
const metaPages = 2;

/** Bytes of all pages that hold entries, and of those that lead to them. */
export function usedBytes(root: RootDatabase<Buffer, (string | number)[]>): number {
  const whole = root.getStats() as RootStats;
  const tables = Array.from(root.getKeys(), (name) => root.openDB({ name: String(name), encoding: 'binary' }).getStats() as TreeStats);
  const pages = [whole, ...tables].reduce((sum, tree) => sum + tree.treeBranchPageCount + tree.treeLeafPageCount + tree.overflowPages, metaPages);
  return pages * whole.pageSize;
}
