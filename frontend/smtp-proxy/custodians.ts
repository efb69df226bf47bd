/** In which order the back-ends are asked to take a message that isn't all their own. */
import { createHash } from 'node:crypto';
import type { LegTarget } from './leg.ts';

/**
 * The same order on every front-end for the same message, so that a retry after a lost reply comes to the back-end that has
 * the first try; and another order for other messages, so that the work is spread (rendezvous hashing).
 */
export function inOrderFor<T extends Pick<LegTarget, 'node'>>(subject: string, targets: readonly T[]): T[] {
  const rank = new Map(targets.map((target) => [target, createHash('sha256').update(`${subject}\0${target.node}`).digest('hex')]));
  return targets.toSorted((one, other) => ((rank.get(one) ?? '') < (rank.get(other) ?? '') ? -1 : 1));
}
