/** IDLE (RFC 2177, RFC 9051 section 6.3.13): the client hears at once what happens in the open mailbox. */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { accountCommand, nothing } from './command.ts';
import { tellNews } from './news.ts';
import { bad, ok } from './replies.ts';
import { endOfInput } from './command-input.ts';
import type { Session } from './session.ts';

/** Hints may get lost, so the index is looked at now and then anyway. */
const usualRecheckMs = 60_000;

type Input = { readonly at: 'awaited' } | { readonly at: 'line'; readonly line: string | undefined } | { readonly at: 'failed'; readonly error: unknown };

export const idle = accountCommand({
  verb: 'IDLE',
  parse: nothing,
  run: async ({ session }) => {
    await session.invite('idling');
    const input = await session.whileWaiting(async () => watch(session));
    if (input.at === 'failed') {
      endOfInput(session, input.error);
      return bad('reading failed');
    }
    if (input.line === undefined) {
      session.enter({ at: 'logout', then: 'close' });
      return bad('connection closed');
    }
    return input.line.toUpperCase() === 'DONE' ? ok('IDLE completed') : bad('expected DONE');
  },
});

/** Tells news until the client sends a line. */
async function watch(session: Session): Promise<Exclude<Input, { at: 'awaited' }>> {
  let input: Input = { at: 'awaited' };
  const take = (taken: Input): void => {
    input = taken;
    session.bell.ring();
  };
  session.connection.readLine().then(
    (line) => take({ at: 'line', line }),
    (error: unknown) => take({ at: 'failed', error }),
  );
  // A function, since the compiler does not see that callbacks assign.
  const current = (): Input => input;
  for (;;) {
    const now = current();
    if (now.at !== 'awaited') return now;
    session.checkOwner();
    tell(session);
    await session.output.flush();
    await session.bell.wait(session.options.limits.idleRecheckMs ?? usualRecheckMs);
  }
}

function tell(session: Session): void {
  if (session.state.at !== 'selected') return;
  try {
    tellNews(session, session.state.view, 'everything');
  } catch (error) {
    if (!isFailure(error, 'mailbox-missing')) throw new Failure('storage-failure', 'could not look for news', { cause: error });
    session.sayBye('the open mailbox was deleted or replaced');
  }
}
