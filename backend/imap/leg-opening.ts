/** Opens a leg at the node that keeps an account, wherever that is now. */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { Leg, unavailable } from './leg.ts';
import type { AwayPlace } from './place.ts';
import type { Session } from './session.ts';

/** Connects and logs in; where the account moved meanwhile, at its new node. @throws Failure; see `isOnItsWay` */
export async function openLeg(session: Session, { owner, node }: AwayPlace): Promise<Leg> {
  const first = await Leg.at(session, owner, node);
  if (first instanceof Leg) return first;
  // Hither: it is here by now, or will be in a moment.
  const second = first.movedTo === session.options.sharing.nodeName ? first : await Leg.at(session, owner, first.movedTo);
  if (second instanceof Leg) return second;
  throw unavailable(new Failure('not-kept-here', 'the account is on its way', { node: second.movedTo }));
}

/** Whether an account moves at this moment: each node says that another has it, until the new one has heard that the old one let go (docs/account-move.md). */
export function isOnItsWay(error: unknown): boolean {
  return isFailure(error, 'backend-unavailable') && isFailure(error.cause, 'not-kept-here');
}
