/** Sizes of a mailbox's messages, for who looks at all of them and at nothing else. They are remembered as long as the list of uids is (uid-lists.ts): what has a uid never changes its size. */
import { sizesIn } from './row-block.ts';

export interface MessageSizes {
  /** Bytes, in the order of the uids. */
  readonly sizes: Uint32Array;
  /** Of all together, bytes. */
  readonly sum: number;
}

const known = new WeakMap<readonly number[], MessageSizes>();

/** @param uids the list that is shared  @param blocks reads the blocks of these messages and of no others, one after the other, in the commit that the uids are of */
export function sizesOf(uids: readonly number[], blocks: () => Buffer): MessageSizes {
  const before = known.get(uids);
  if (before !== undefined) return before;
  const sizes = sizesIn(blocks());
  const made = { sizes, sum: sizes.reduce((sum, size) => sum + size, 0) };
  known.set(uids, made);
  return made;
}
