/** APPEND and REPLACE on another node: each literal goes there as it comes, once that node has asked for it. */
import { withoutWaiting } from '../../shared/imap/relayed-text.ts';
import type { Leg } from './leg.ts';
import type { Completion } from './replies.ts';
import type { Session } from './session.ts';

/**
 * @param command its first stretch, up to a literal or whole
 * @throws Failure; what the other node does not want of the command is still unread then, and after a refusal
 */
export async function relayMessages(session: Session, leg: Leg, command: string): Promise<Completion> {
  const { rest, tag } = session;
  leg.begin('command');
  let text = command;
  while (rest.end === 'literal') {
    await leg.say(`${withoutWaiting(text)}${rest.announcement}`);
    const said = await leg.next(tag);
    if (typeof said !== 'string') return said;
    try {
      for await (const piece of rest.bytes()) await leg.write(piece);
      ({ text } = await rest.nextStretch());
    } catch (error) {
      leg.close(); // the other node must not take what was cut
      throw error;
    }
  }
  await leg.say(withoutWaiting(text));
  return leg.end(tag);
}
