/** IDLE (RFC 2177, RFC 9051 section 6.3.13): the client hears at once what happens in the open mailbox, and what NOTIFY asks for. */
import { accountCommand, nothing } from './command.ts';
import { relayIdle } from './idle-away.ts';
import { endOfInput } from './command-input.ts';
import { bad, ok } from './replies.ts';
import { lineWhileTelling } from './waiting.ts';

export const idle = accountCommand({
  verb: 'IDLE',
  parse: nothing,
  run: async ({ session }) => {
    if (session.state.at === 'away') return relayIdle(session, async () => lineWhileTelling(session, () => 'nothing'));
    await session.invite('idling');
    let line: string | undefined;
    try {
      line = await session.whileWaiting(async () => lineWhileTelling(session, () => 'everything'));
    } catch (error) {
      endOfInput(session, error);
      return bad('reading failed');
    }
    if (line === undefined) {
      session.enter({ at: 'logout', then: 'close' });
      return bad('connection closed');
    }
    return line.toUpperCase() === 'DONE' ? ok('IDLE completed') : bad('expected DONE');
  },
});
