/** Turns of the event loop: whether work that takes long lets others have theirs. */
import type { TestContext } from 'node:test';

/** Counts them until the test ends; answers how many there were. */
export function countTurns(t: TestContext): () => number {
  let turns = 0;
  const turn = (): void => {
    turns += 1;
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  t.after(() => clearImmediate(next));
  return () => turns;
}
