/** APPEND with one or several messages (RFC 9051 section 6.3.12, RFC 3502, RFC 7888): literals go to the storage as they come. */
import { Failure } from '../../shared/base/failure.ts';
import { announcedLiteral } from '../../shared/imap/command-reader.ts';
import type { AnnouncedLiteral } from '../../shared/imap/command-reader.ts';
import { parseAppendItem, parseAppendStart } from '../../shared/imap/append-arguments.ts';
import type { AppendItem } from '../../shared/imap/append-arguments.ts';
import { malformed } from '../../shared/imap/scanner.ts';
import { formatSet } from '../../shared/imap/sequence-set.ts';
import type { Account, AppendMarks, Mailbox, StagedMessage } from '../storage/storage.ts';
import { flagMarks } from './flag-texts.ts';
import { marksWithin } from './flag-rights.ts';
import { demand, placeOf } from './place.ts';
import type { HerePlace } from './place.ts';
import { relayAppend } from './relay-append.ts';
import { Refusal, no, ok } from './replies.ts';
import { isLoggedIn } from './session-state.ts';
import type { Completion } from './replies.ts';
import { discard } from './command-input.ts';
import type { Session } from './session.ts';

type Incoming = { readonly staged: StagedMessage; readonly marks: AppendMarks };

/** Messages of one command: they are held until all are there. */
const mostMessages = 1000;

/**
 * Runs APPEND from its first message literal on, which is still in the stream.
 * @param text the command up to that literal.
 */
export async function append(session: Session, text: string, literal: AnnouncedLiteral): Promise<Completion> {
  const start = parseAppendStart(text, session.names);
  if (start === undefined) throw new Error('not the beginning of APPEND');
  let began: 'yes' | 'no' = 'no';
  try {
    if (!isLoggedIn(session.state)) throw malformed('APPEND is not allowed now');
    const place = await placeOf(session, start.mailbox);
    const target = place.at === 'away' ? place : { session, place, mailbox: targetAt(place) };
    began = 'yes';
    return await ('at' in target ? relayAppend(session, target, { text, literal }) : appendAt(target, start.item, literal));
  } finally {
    if (began === 'no') await discard(session, text, literal);
  }
}

/** The mailbox there, if the user may put messages into it. @throws Failure, Refusal */
export function targetAt(place: HerePlace): Mailbox {
  demand(place, 'i');
  const mailbox = place.account.mailbox(place.name);
  if (mailbox === undefined) throw new Refusal(no('no such mailbox', place.whose === 'own' ? 'TRYCREATE' : 'NONEXISTENT'));
  return mailbox;
}

async function appendAt({ session, place, mailbox }: { readonly session: Session; readonly place: HerePlace; readonly mailbox: Mailbox }, item: AppendItem, literal: AnnouncedLiteral): Promise<Completion> {
  const incoming: Incoming[] = [];
  try {
    await receiveAll({ session, account: place.account, incoming }, item, literal);
    const { uidValidity, uids } = await mailbox.append(incoming.map(({ staged, marks }) => ({ staged, marks: marksWithin(place.rights, marks) })));
    session.noteOwnMessages({ account: place.account, mailbox }, uids);
    return ok('APPEND completed', `APPENDUID ${String(uidValidity)} ${formatSet(uids)}`);
  } finally {
    await Promise.all(incoming.map(async ({ staged }) => staged.discard()));
  }
}

interface Reception {
  readonly session: Session;
  readonly account: Account;
  /** Filled on the way, so that it can be discarded whatever happens. */
  readonly incoming: Incoming[];
}

/** Reads message after message up to the end of the command. After a failure the rest of the command has been read, too. */
async function receiveAll(reception: Reception, firstItem: AppendItem, firstLiteral: AnnouncedLiteral): Promise<void> {
  const { session, incoming } = reception;
  let item = firstItem;
  let literal = firstLiteral;
  for (;;) {
    incoming.push(await receive(reception, item, literal));
    const line = await session.connection.readLine();
    if (line === undefined) throw new Failure('bad-input', 'connection closed in the middle of APPEND');
    if (line === '') return;
    const announced = announcedLiteral(line);
    if (announced === undefined) throw malformed('expected a further message or the end of the command');
    literal = announced.literal;
    try {
      item = parseAppendItem(announced.before);
      if (incoming.length >= mostMessages) throw new Failure('limit', 'too many messages in one command');
    } catch (error) {
      await discard(session, '', literal);
      throw error;
    }
  }
}

async function receive({ session, account }: Reception, item: AppendItem, literal: AnnouncedLiteral): Promise<Incoming> {
  const refusal = refusalOf({ session, account }, literal.size);
  if (refusal !== undefined) {
    await discard(session, '', literal);
    throw refusal;
  }
  if (literal.kind === 'synchronizing') await session.invite('Ready for literal');
  let left = literal.size;
  const counted = async function* (): AsyncGenerator<Buffer, void, void> {
    for await (const piece of session.connection.readStream(literal.size)) {
      left -= piece.length;
      yield piece;
    }
  };
  try {
    const staged = await session.options.storage.stage(account.address, counted(), session.options.limits.maxMessageBytes);
    return { staged, marks: { ...flagMarks(item.flags), internalDateMs: item.internalDateMs } };
  } catch (error) {
    // The client goes on sending, whatever made us give up.
    await discard(session, '', { size: left, kind: 'non-synchronizing' });
    throw error;
  }
}

/** Why a message of that size can't be taken, known before its first byte. */
function refusalOf({ session, account }: Pick<Reception, 'session' | 'account'>, size: number): Failure | undefined {
  const { maxMessageBytes } = session.options.limits;
  if (size === 0) return new Failure('limit', 'a message may not be empty');
  if (size > maxMessageBytes) return new Failure('message-too-big', `messages may have at most ${String(maxMessageBytes)} bytes`);
  const quota = account.quota();
  if (quota.bytesLimit > 0 && quota.bytes + size > quota.bytesLimit) return new Failure('over-quota', 'the mailbox is full');
  return undefined;
}
