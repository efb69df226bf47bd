/** Commands that another node carries out: on a mailbox that they name, on the open one, and what is told between commands. */
import { Failure } from '../../shared/base/failure.ts';
import { askAwayNews, whyLost } from './away-news.ts';
import type { Leg } from './leg.ts';
import type { AwayPlace } from './place.ts';
import type { Completion } from './replies.ts';
import type { Session } from './session.ts';

/** The command that is running, at the place that it names. @throws Failure */
export async function relayTo(session: Session, place: AwayPlace): Promise<Completion> {
  const leg = await session.legs.to(place);
  return leg.relay('command');
}

/** The command that is running, on the open mailbox. @throws Failure */
export async function relaySelected(session: Session): Promise<Completion> {
  const mayBeLong = /^\S+ (?:UID )?(?:E?SEARCH|SORT|THREAD|COPY|MOVE) /i.test(session.commandText);
  return openLeg(session).relay(mayBeLong ? 'long command' : 'command');
}

/** The leg on which a mailbox is open. @throws Failure('backend-unavailable') when it is gone: sequence numbers went with it */
export function openLeg(session: Session): Leg {
  const { state } = session;
  if (state.at !== 'away') throw new Error(`no mailbox of another node is open in state ${state.at}`);
  if (state.leg.isOpen) return state.leg;
  session.enter({ ...state, loss: 'told' });
  throw new Failure('backend-unavailable', `${whyLost(state.leg)}: select the mailbox anew`);
}

/** What happened in the mailbox of another node is told after commands that did not go there, too. Never rejects. */
export async function tellAwayNews(session: Session): Promise<void> {
  if (session.state.at === 'away' && session.relayedBy !== session.state.leg) await askAwayNews(session);
}

/** The mailbox of another node is left without a word of it to the client. Never rejects. */
export async function closeAway(session: Session): Promise<void> {
  if (session.state.at !== 'away') return;
  const { leg, account } = session.state;
  session.enter({ at: 'authenticated', account });
  if (!leg.isOpen) return;
  await leg.ask('UNSELECT', () => 'taken').catch((error: unknown) => session.log.warn({ err: error }, 'could not leave a mailbox of another node'));
}
