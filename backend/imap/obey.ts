/** One command of a session, from its text to the tagged answer: found, checked whether it may come now, run, and what is new told before it is answered. */
import { Failure, isFailure } from '../../shared/base/failure.ts';
import { startCommand, tagOf } from '../../shared/imap/command-reader.ts';
import type { ReadCommand } from '../../shared/imap/command-reader.ts';
import { countingImapCommand } from '../../shared/metrics/service-counters.ts';
import type { Command, Prepared, Telling } from './command.ts';
import { refusalOfLong } from './command-input.ts';
import { findCommand, isForGuests, takesSequenceNumbers } from './commands.ts';
import { tellAwayNews } from './relay.ts';
import { Refusal, completionFor, formatCompletion, uidRequired } from './replies.ts';
import type { Completion } from './replies.ts';
import type { Session } from './session.ts';
import type { View } from './view.ts';
import { tellAll } from './waiting.ts';

/** Answers how the command ended; undefined when there was none, or nobody is there to be told. Never rejects. */
export async function obey(session: Session, read: ReadCommand): Promise<Completion['status'] | undefined> {
  switch (read.kind) {
    case 'command':
    case 'literal':
      session.rest.begin(read.kind === 'literal' ? read.literal : undefined);
      return await runCommand(session, read.text);
    case 'too-long':
      return complete(session, tagOf(read.text), refusalOfLong(read.text));
    case 'hopeless':
      session.sayBye('command too long', 'TOOBIG');
      return undefined;
    case 'end':
      return undefined;
  }
}

async function runCommand(session: Session, text: string): Promise<Completion['status'] | undefined> {
  session.commandText = text;
  let prepared: Prepared;
  let command: Command | undefined;
  try {
    const start = startCommand(text);
    command = findCommand(start.verb, session.guest === undefined ? 'client' : 'node');
    if (command === undefined) throw new Failure('bad-input', `unknown command ${start.verb.slice(0, 40)}`);
    checkState(session, command);
    prepared = command.prepare(start.arguments, session);
    session.tag = start.tag;
  } catch (error) {
    const completion = completionOf(session, error);
    await session.rest.pass();
    return complete(session, tagOf(text), completion);
  }
  const { tells, work } = prepared;
  return await finish(session, () => countingImapCommand(command.verb, work), tells);
}

/** The one place that checks whether a command may come now. */
function checkState(session: Session, command: Command): void {
  const { at } = session.state;
  if (session.guest !== undefined && !isForGuests(command)) throw new Failure('forbidden', `${command.verb} is not for guests`);
  if (session.isEnabled('UIDONLY') && takesSequenceNumbers(command)) throw uidRequired();
  if (!command.allowedIn.includes(at === 'away' ? 'selected' : at)) throw new Failure('bad-input', `${command.verb} is not allowed now (${at.replace('-', ' ')})`);
}

async function finish(session: Session, work: () => Promise<Completion>, tells: Telling): Promise<Completion['status'] | undefined> {
  const { tag, output } = session;
  session.relayedBy = undefined;
  const before = session.state.at === 'selected' ? session.state.view : undefined;
  let completion: Completion;
  try {
    completion = await session.slot.run(work);
  } catch (error) {
    completion = completionOf(session, error);
  }
  if (!session.rest.isOver) await session.rest.pass();
  if (session.state.at === 'away') await tellAwayNews(session);
  const after = session.state;
  const isSameMailbox = after.at === 'selected' && after.view === before;
  await tellAll(session, isSameMailbox ? tells : 'nothing');
  if (isSameMailbox && after.view.hidesExpunges) {
    tellSafeModseq(session, after.view);
    if (completion.status === 'OK') completion = { ...completion, code: completion.code ?? 'EXPUNGEISSUED' };
  }
  const status = session.state.at !== 'logout' || completion.status === 'OK' ? complete(session, tag, completion) : undefined;
  if (completion.afterwards !== undefined) {
    await output.flush();
    await completion.afterwards();
  }
  return status;
}

/** A client that takes the mod-sequences that it was told for the state that it knows would never hear of expunges that wait, should the connection break (RFC 7162 sections 3.2 and 6). */
function tellSafeModseq(session: Session, { toldModseq }: View): void {
  if (session.isEnabled('QRESYNC')) session.output.line(`* OK [HIGHESTMODSEQ ${String(toldModseq)}] there are expunges to be told`);
}

function complete({ output }: Session, tag: string, completion: Completion): Completion['status'] {
  output.line(formatCompletion(tag, completion));
  return completion.status;
}

function completionOf(session: Session, error: unknown): Completion {
  if (!isFailure(error) && !(error instanceof Refusal)) session.log.error({ err: error }, 'command failed');
  else if (error.cause !== undefined) session.log.warn({ err: error }, 'command refused');
  return completionFor(error, session);
}
