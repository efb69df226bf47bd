/** Both ends of a copy between nodes: messages that are fetched from a mailbox of another node, and put into one there. */
import { Failure } from '../../shared/base/failure.ts';
import { formatDateTime, takeDateTime } from '../../shared/imap/dates.ts';
import { takeFlagList } from '../../shared/imap/flags.ts';
import { numbersOf } from '../../shared/imap/relayed-text.ts';
import { Scanner } from '../../shared/imap/scanner.ts';
import type { CopyResult } from '../storage/storage.ts';
import type { CarriedMessage } from './carry.ts';
import { flagMarks, flagWords } from './flag-texts.ts';
import type { Leg } from './leg.ts';
import { formatMailbox } from './mailbox-lines.ts';
import { Refusal } from './replies.ts';
import type { Session } from './session.ts';

const fetched = /^\* \d+ (?:UID)?FETCH \(UID (\d+) FLAGS (\([^)]*\)) INTERNALDATE ("[^"]+") BODY\[\] \{(\d+)\}$/;

/**
 * Of the mailbox that is open on the leg. What else the other node tells meanwhile goes to the client.
 * @param messages `FETCH 1:3` or `UID FETCH 7`. @throws Failure, Refusal
 */
export async function* carriedFromAway(leg: Leg, messages: string): AsyncGenerator<CarriedMessage, void, void> {
  const tag = leg.newTag();
  leg.setPatience('long command');
  await leg.say(`${tag} ${messages} (UID FLAGS INTERNALDATE BODY.PEEK[])`);
  let at: 'between' | 'in a message' | 'over' = 'between';
  try {
    for (;;) {
      const found = await nextFetched(leg, tag);
      if (found === undefined) {
        at = 'over';
        return;
      }
      at = 'in a message';
      yield carried(leg, found);
      await leg.line(); // the closing bracket
      at = 'between';
    }
  } catch (error) {
    if (error instanceof Refusal) at = 'over';
    throw error;
  } finally {
    // Nobody wants the rest: what comes is read past, or the leg is of no use any more.
    if (at === 'in a message') leg.close();
    else if (at === 'between' && leg.isUsable) await leg.end(tag, () => 'taken').catch(() => undefined);
  }
}

/** Undefined when the command is over. @throws Failure, Refusal */
async function nextFetched(leg: Leg, tag: string): Promise<RegExpExecArray | undefined> {
  let found: RegExpExecArray | undefined;
  const end = await leg.next(tag, (line) => {
    found = fetched.exec(line) ?? undefined;
    return found === undefined ? 'pass on' : 'stop';
  });
  if (typeof end === 'string') return found;
  if (end.status !== 'OK') throw new Refusal(end);
  return undefined;
}

/** All of its bytes have to be read. */
function carried(leg: Leg, [, uid, flags = '()', date = '', size]: RegExpExecArray): CarriedMessage {
  return {
    uid: Number(uid), size: Number(size),
    marks: { ...flagMarks(takeFlagList(new Scanner(flags))), keywordsBeyond: 'left-out', internalDateMs: takeDateTime(new Scanner(date)) },
    bytes: () => leg.literal(Number(size)),
  };
}

/** Puts them into the mailbox of that name, which another node keeps, all or none. @throws Failure, Refusal */
export async function carryAway(session: Session, to: { readonly leg: Leg; readonly mailbox: string }, messages: AsyncIterable<CarriedMessage>): Promise<CopyResult> {
  const { leg, mailbox } = to;
  const tag = leg.newTag();
  leg.setPatience('command');
  const sourceUids: number[] = [];
  let before = `${tag} APPEND ${formatMailbox(session, mailbox)}`;
  try {
    for await (const { uid, size, marks, bytes } of messages) {
      // As UTF8 (RFC 6855 section 4), for which a guest need not have said ENABLE: the message may be older than what the client has enabled.
      await leg.say(`${before} (${flagWords(marks).join(' ')}) ${formatDateTime(marks.internalDateMs)} UTF8 (~{${String(size)}}`);
      const said = await leg.next(tag);
      if (typeof said !== 'string') throw new Refusal(said);
      for await (const piece of bytes()) await leg.write(piece);
      sourceUids.push(uid);
      before = ')';
    }
  } catch (error) {
    if (before === ')' || !(error instanceof Refusal)) leg.close(); // a command that is half said is never carried out
    throw error;
  }
  if (sourceUids.length === 0) return { uidValidity: 0, uids: [], sourceUids: [] };
  await leg.say(before);
  const end = await leg.end(tag);
  if (end.status !== 'OK') throw new Refusal(end);
  if (end.code === undefined) return { uidValidity: 0, uids: [], sourceUids }; // who may not read there is not told
  const [, uidValidity, set = ''] = /^APPENDUID (\d+) ([\d:,]+)$/.exec(end.code ?? '') ?? [];
  const uids = numbersOf(set, sourceUids.length);
  if (uids?.length !== sourceUids.length) throw new Failure('backend-unavailable', 'the other server did not say where the messages are');
  return { uidValidity: Number(uidValidity), uids, sourceUids };
}
