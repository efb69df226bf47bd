/** What an IMAP session reads: the next command, the rest of a refused one, and the end, whose reason the client is told. */
import { isFailure } from '../../shared/base/failure.ts';
import { parseAppendStart } from '../../shared/imap/append-arguments.ts';
import { discardRest, readCommand } from '../../shared/imap/command-reader.ts';
import type { AnnouncedLiteral, ReadCommand } from '../../shared/imap/command-reader.ts';
import type { Session } from './session.ts';

const maxCommandBytesBeforeLogin = 8 * 1024;
const maxCommandBytes = 64 * 1024;
const maxDiscardedBytes = 1024 * 1024;

/** The next command; undefined when there is none any more, and the state says so. */
export async function nextCommand(session: Session): Promise<ReadCommand | undefined> {
  try {
    const read = await readCommand(session.connection, {
      maxBytes: session.state.at === 'not-authenticated' ? maxCommandBytesBeforeLogin : maxCommandBytes,
      maxDiscardedBytes,
      invite: async () => session.invite('Ready for literal'),
      takesOver: (text) => parseAppendStart(text, session.names) !== undefined,
    });
    if (read.kind === 'end') session.enter({ at: 'logout', then: 'close' });
    return read;
  } catch (error) {
    endOfInput(session, error);
    return undefined;
  }
}

/** The stream can't be read any more: says why, if it is the client's doing. */
export function endOfInput(session: Session, error: unknown): void {
  if (isFailure(error, 'timed-out')) session.sayBye('autologout: idle for too long');
  else if (isFailure(error, 'bad-input')) {
    session.output.line(`* BAD ${error.message}`);
    session.sayBye('that can not be understood');
  } else {
    session.log.error({ err: error }, 'reading failed');
    session.sayBye(`internal error, reference ${session.id}`);
  }
}

/** Reads past what is left of a refused command; the client may have to go when that is too much. */
export async function discard(session: Session, text: string, literal: AnnouncedLiteral | undefined): Promise<void> {
  const maxBytes = session.state.at === 'not-authenticated' ? maxDiscardedBytes : session.options.limits.maxMessageBytes;
  const rest = await discardRest(session.connection, { text, literal, maxBytes });
  if (rest.kind === 'hopeless') session.sayBye('literal too large', 'TOOBIG');
  if (rest.kind === 'end') session.enter({ at: 'logout', then: 'close' });
}
