/** Waits for the client's next line and tells news meanwhile: in IDLE, and between commands where NOTIFY asks for it (RFC 2177, RFC 5465). */
import { setTimeout as sleep } from 'node:timers/promises';
import { isFailure } from '../../shared/base/failure.ts';
import { describeArrived } from './fetch.ts';
import { tellNews } from './news.ts';
import { hasOthersOpen, lookAtRights } from './place.ts';
import { isLoggedIn } from './session-state.ts';
import type { Telling } from './command.ts';
import type { Session } from './session.ts';

/** Hints may get lost, so the index is looked at now and then anyway. */
const usualRecheckMs = 60_000;
/** However much happens, the index is looked at no more often: news are told together, and a flood of mail is not slowed by those who watch it. */
const usualNewsPauseMs = 100;

type Input = { readonly at: 'awaited' } | { readonly at: 'line'; readonly line: string | undefined } | { readonly at: 'failed'; readonly error: unknown };

/** Answers the line as the connection does, undefined at its end. Rejects as it does. */
export async function lineWhileTelling(session: Session, telling: () => Telling | 'nothing'): Promise<string | undefined> {
  let input: Input = { at: 'awaited' };
  const take = (taken: Input): void => {
    input = taken;
    session.bell.ring();
  };
  const taken = session.connection.readLine().then(
    (line) => take({ at: 'line', line }),
    (error: unknown) => take({ at: 'failed', error }),
  );
  // A function, since the compiler does not see that callbacks assign.
  const current = (): Input => input;
  for (;;) {
    const now = current();
    if (now.at === 'line') return now.line;
    if (now.at === 'failed') throw now.error;
    session.checkOwner();
    await session.whileTelling(async () => tellAll(session, telling()));
    await session.output.flush();
    session.legs.listen(() => session.bell.ring());
    const lookedAtMs = Date.now();
    if ((await session.bell.wait(session.options.limits.idleRecheckMs ?? usualRecheckMs)) === 'silence') session.accountNews.lookAgain();
    const pauseMs = lookedAtMs + (session.options.limits.newsPauseMs ?? usualNewsPauseMs) - Date.now();
    if (pauseMs > 0 && current().at === 'awaited') await Promise.race([taken, sleep(pauseMs)]);
  }
}

/** Everything new of the open mailbox and of the account. What can't be read is for the log: the next look may find it. */
export async function tellAll(session: Session, telling: Telling | 'nothing'): Promise<void> {
  if (telling !== 'nothing' && hasOthersOpen(session)) await lookAtRights(session);
  const { state } = session;
  if (!isLoggedIn(state)) return;
  try {
    if (state.at === 'selected' && telling !== 'nothing') {
      await tellNews(session, state.view, telling);
      if (state.view.toDescribe.size > 0) await describeArrived(session.selected);
    }
    if (session.accountNews.watches) await session.accountNews.tell(session, state.account);
  } catch (error) {
    if (isFailure(error, 'mailbox-missing') && state.at === 'selected') session.sayBye('the open mailbox was deleted or replaced');
    else session.log.error({ err: error }, 'could not look for news');
  }
}
