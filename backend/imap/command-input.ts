/** What an IMAP session reads: the next command, the rest of a refused one, and the end, whose reason the client is told. */
import { isFailure } from '../../shared/base/failure.ts';
import { isBeforeMessage } from '../../shared/imap/append-arguments.ts';
import { discardRest, readCommand } from '../../shared/imap/command-reader.ts';
import type { AnnouncedLiteral, ByteSource, ReadCommand } from '../../shared/imap/command-reader.ts';
import type { Telling } from './command.ts';
import { valueTooLong } from './metadata.ts';
import type { SelectedWishes } from './registration.ts';
import { bad } from './replies.ts';
import type { Completion } from './replies.ts';
import type { Session } from './session.ts';
import { lineWhileTelling } from './waiting.ts';

const maxCommandBytesBeforeLogin = 8 * 1024;
/** Lines and literals together, but for the literals of messages. */
export const maxCommandBytes = 64 * 1024;
const maxDiscardedBytes = 1024 * 1024;

/** The next command; undefined when there is none any more, and the state says so. */
export async function nextCommand(session: Session): Promise<ReadCommand | undefined> {
  try {
    const read = await readCommand(sourceOf(session), {
      maxBytes: session.state.at === 'not-authenticated' ? maxCommandBytesBeforeLogin : maxCommandBytes,
      maxDiscardedBytes,
      invite: async () => session.invite('Ready for literal'),
      takesOver: messageLiterals(session),
    });
    if (read.kind === 'end') session.enter({ at: 'logout', then: 'close' });
    return read;
  } catch (error) {
    endOfInput(session, error);
    return undefined;
  }
}

/** The connection; while it waits for a command's first line, the client is told what NOTIFY asks for. */
function sourceOf(session: Session): ByteSource {
  const { connection, accountNews } = session;
  if (!accountNews.isActive || connection.hasLine) return connection;
  let isFirst = true;
  return {
    readLine: async () => {
      if (!isFirst) return connection.readLine();
      isFirst = false;
      return lineWhileTelling(session, () => tellingOf(accountNews.selected.when));
    },
    readBytes: async (length) => connection.readBytes(length),
    readStream: (length) => connection.readStream(length),
  };
}

function tellingOf(when: SelectedWishes['when']): Telling | 'nothing' {
  if (when === 'with-commands') return 'nothing';
  return when === 'at-once' ? 'everything' : 'no-expunges';
}

/** Finds the literals that stay in the stream. It looks no further at a command once that can't have one. */
function messageLiterals(session: Session): (text: string) => boolean {
  let found: ReturnType<typeof isBeforeMessage> = 'not yet';
  return (text) => {
    if (found !== 'never') found = isBeforeMessage(text, session.names);
    return found === 'yes';
  };
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

/** The answer to a command that was longer than any may be: an annotation has a limit of its own (RFC 5464 section 4.3). */
export function refusalOfLong(text: string): Completion {
  return / SETMETADATA /i.test(text) ? valueTooLong() : bad('command too long', 'TOOBIG');
}

/** Reads past what is left of a refused command; the client may have to go when that is too much. */
export async function discard(session: Session, literal: AnnouncedLiteral | undefined): Promise<void> {
  const maxBytes = session.state.at === 'not-authenticated' ? maxDiscardedBytes : session.options.limits.maxMessageBytes;
  const rest = await discardRest(session.connection, { text: '', literal, maxBytes });
  if (rest.kind === 'hopeless') session.sayBye('literal too large', 'TOOBIG');
  if (rest.kind === 'end') session.enter({ at: 'logout', then: 'close' });
}
