/** What happens in the open mailbox where that is on another node: it is asked for, since that node says nothing unasked. */
import type { Leg } from './leg.ts';
import type { Session } from './session.ts';

/** Asks, and says what the client has enabled meanwhile; what is new goes to the client, also that nothing more will come. Never rejects. */
export async function askAwayNews(session: Session): Promise<void> {
  if (session.state.at !== 'away' || session.state.loss === 'told') return;
  const { leg } = session.state;
  try {
    if (leg.isOpen) {
      await leg.keepUp();
      await leg.ask('NOOP');
      return;
    }
  } catch (error) {
    session.log.warn({ err: error }, 'the node that keeps the open mailbox went away');
  }
  await tellLoss(session);
}

/** The client hears once that it is told nothing more of the open mailbox: who asks by NOOP alone would take that for no news. */
export async function tellLoss(session: Session): Promise<void> {
  const { state, legs, output } = session;
  if (state.at !== 'away' || state.loss === 'told') return;
  session.enter({ ...state, loss: 'told' });
  await legs.alone(async () => output.line(`* NO [UNAVAILABLE] ${whyLost(state.leg)}`));
}

/** A node that lets nobody in any more says why. */
export function whyLost({ goodbye }: Leg): string {
  return goodbye ?? 'the server that keeps the open mailbox went away';
}
