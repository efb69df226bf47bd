/** QUIT (RFC 1939 sections 4 and 6): after login it is what makes deletions real. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Maildrop } from './maildrop.ts';
import type { Session } from './session.ts';

/** How long the end of a move is waited for: as long as a login waits (backend/accounts). */
const patienceMs = 5000;
const pollMs = 20;

export async function quit(session: Session): Promise<undefined> {
  const { state, texts } = session;
  if (state.at !== 'transaction') {
    session.sayBye(`+OK ${texts.goodbye}`);
    return undefined;
  }
  const { maildrop } = state;
  session.enter({ at: 'update', maildrop });
  try {
    await session.output.flush(); // what was retrieved counts only when it has left
    await held(maildrop);
    const left = await maildrop.update();
    await maildrop.close(); // who reads the answer may log in again at once
    session.part(`+OK ${left === 0 ? texts.emptied : texts.left(left)}`);
  } catch (error) {
    session.log.error({ err: error }, 'deleted messages could not be removed');
    session.sayBye(session.refusal(error));
  }
  return undefined;
}

/** Waits while the last bit of the account is being moved: if the move comes to nothing, the deletions can be done. */
async function held({ account }: Maildrop): Promise<void> {
  for (const deadline = performance.now() + patienceMs; account.standing() === 'held' && performance.now() < deadline;) await sleep(pollMs);
}
