/** APPEND to a folder on another node: each literal goes there as it comes, once that node has asked for it. */
import { Failure } from '../../shared/base/failure.ts';
import { announcedLiteral } from '../../shared/imap/command-reader.ts';
import type { AnnouncedLiteral } from '../../shared/imap/command-reader.ts';
import { withoutWaiting } from '../../shared/imap/relayed-text.ts';
import { discard } from './command-input.ts';
import type { Leg } from './leg.ts';
import type { AwayPlace } from './place.ts';
import type { Completion } from './replies.ts';
import type { Session } from './session.ts';

export interface BegunAppend {
  /** The command up to its first message literal, without the announcement. */
  readonly text: string;
  readonly literal: AnnouncedLiteral;
}

/** @throws Failure; the rest of the command has been read then */
export async function relayAppend(session: Session, place: AwayPlace, { text, literal }: BegunAppend): Promise<Completion> {
  const leg = await session.legs.to(place).catch(async (error: unknown) => {
    await discard(session, text, literal);
    throw error;
  });
  const { tag } = session;
  leg.begin('command');
  let next: BegunAppend = { text: withoutWaiting(text), literal };
  for (;;) {
    const refused = await announce(session, leg, next);
    if (refused !== undefined) return refused;
    const line = await session.connection.readLine();
    if (line === undefined) {
      leg.close(); // the other node must not take what was cut
      throw new Failure('bad-input', 'connection closed in the middle of APPEND');
    }
    const announced = announcedLiteral(line);
    if (announced === undefined) {
      await leg.say(line);
      return leg.end(tag);
    }
    next = { text: announced.before, literal: announced.literal };
  }
}

/** One literal; answers how the command ended, if the other node does not want it. */
async function announce(session: Session, leg: Leg, { text, literal }: BegunAppend): Promise<Completion | undefined> {
  let left = literal.size;
  let isInvited = literal.kind === 'non-synchronizing';
  try {
    await leg.say(`${text}{${String(literal.size)}}`);
    const said = await leg.next(session.tag);
    if (typeof said !== 'string') {
      await discard(session, '', literal);
      return said;
    }
    if (!isInvited) await session.invite('Ready for literal');
    isInvited = true;
    for await (const piece of session.connection.readStream(literal.size)) {
      left -= piece.length;
      await leg.write(piece);
    }
    return undefined;
  } catch (error) {
    leg.close();
    await discard(session, '', { size: left, kind: isInvited ? 'non-synchronizing' : 'synchronizing' });
    throw error;
  }
}
