/** What happens in the open mailbox where that is on another node: it is asked for, since that node says nothing unasked. */
import type { Session } from './session.ts';

/** Asks, and says what the client has enabled meanwhile; what is new goes to the client. Never rejects. */
export async function askAwayNews(session: Session): Promise<void> {
  if (session.state.at !== 'away' || !session.state.leg.isOpen) return;
  try {
    const { leg } = session.state;
    await leg.keepUp();
    await leg.ask('NOOP');
  } catch (error) {
    session.log.warn({ err: error }, 'the node that keeps the open mailbox went away');
  }
}
