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
import { bad, no, ok } from './replies.ts';
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
  const refuse = async (completion: Completion): Promise<Completion> => {
    await discard(session, text, literal);
    return completion;
  };
  if (session.state.at !== 'authenticated' && session.state.at !== 'selected') return refuse(bad('APPEND is not allowed now'));
  const { account } = session;
  const mailbox = account.mailbox(start.mailbox);
  if (mailbox === undefined) return refuse(no('no such mailbox', 'TRYCREATE'));
  const incoming: Incoming[] = [];
  try {
    await receiveAll({ session, account, incoming }, start.item, literal);
    return await store(session, mailbox, incoming);
  } finally {
    await Promise.all(incoming.map(async ({ staged }) => staged.discard()));
  }
}

async function store(session: Session, mailbox: Mailbox, incoming: readonly Incoming[]): Promise<Completion> {
  const { uidValidity, uids } = await mailbox.append(incoming);
  session.noteOwnMessages(mailbox, uids);
  return ok('APPEND completed', `APPENDUID ${String(uidValidity)} ${formatSet(uids)}`);
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
