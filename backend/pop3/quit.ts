/** QUIT (RFC 1939 sections 4 and 6): after login it is what makes deletions real. */
import type { Session } from './session.ts';
import { replyFor } from './replies.ts';

export async function quit(session: Session): Promise<undefined> {
  const { state } = session;
  if (state.at !== 'transaction') {
    session.sayBye('+OK goodbye');
    return undefined;
  }
  const { maildrop } = state;
  session.enter({ at: 'update', maildrop });
  try {
    const left = await maildrop.update();
    session.sayBye(`+OK goodbye, ${left === 0 ? 'maildrop is empty' : `${String(left)} messages left`}`);
  } catch (error) {
    session.log.error({ err: error }, 'deleted messages could not be removed');
    session.sayBye(replyFor(error, session.client.session));
  }
  return undefined;
}
