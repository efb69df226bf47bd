/** Commands that send messages: RETR and TOP (RFC 1939 sections 5 and 7). Bytes go out as they were stored, in pieces, as fast as the client takes them. */
import { isAscii } from 'node:buffer';
import { edited } from '../../shared/mime/message-edits.ts';
import type { Edit } from '../../shared/mime/message-edits.ts';
import { planSurrogate } from '../../shared/mime/surrogate.ts';
import { MultiLineEncoder } from '../../shared/pop3/multi-line.ts';
import { parseNumbers } from '../../shared/pop3/command.ts';
import { Refusal } from '../../shared/pop3/texts.ts';
import type { Entry } from './maildrop.ts';
import type { Answer, Session } from './session.ts';
import { entryOf } from './transaction.ts';
import type { StoredMessage } from '../storage/storage.ts';

/** So much is read at a time. */
const pieceBytes = 64 * 1024;

const LF = 0x0a;

export function retr(session: Session, argument: string): Answer | Promise<Answer> {
  const [number = 0] = parseNumbers(argument, 1, session.texts.form('RETR number'));
  const entry = entryOf(session, number);
  const message = storedOf(session, entry);
  const bytes = message.atHand();
  if (bytes === undefined || !isFit(session, bytes)) return retrieve(session, entry, message);
  sendWhole(session, bytes);
  noteLeaving(session, entry, bytes.length);
  return undefined;
}

async function retrieve(session: Session, entry: Entry, stored: StoredMessage): Promise<Answer> {
  const message = await shownTo(session, stored);
  if (message.whole !== undefined) sendWhole(session, message.whole);
  else if ((await send(session, session.texts.octets(message.octets), message.pieces(0, message.size))) === 'a part') return undefined;
  noteLeaving(session, entry, message.octets);
  return undefined;
}

function noteLeaving({ maildrop, output }: Session, entry: Entry, octets: number): void {
  if (maildrop.isLeaving(entry, octets) === 'first') output.whenSent(() => maildrop.haveLeft());
}

export async function top(session: Session, argument: string): Promise<Answer> {
  const [number = 0, lines = 0] = parseNumbers(argument, 2, session.texts.form('TOP number lines'));
  const message = await shownTo(session, storedOf(session, entryOf(session, number)));
  await send(session, session.texts.top, headerAndLines(message, lines));
  return undefined;
}

/** A message as this client is shown it. Offsets and `size` are of the message as it is stored. */
interface ShownMessage {
  readonly size: number;
  bodyStart(): number;
  /** As sent, without doubled dots. */
  readonly octets: number;
  /** All of it as it is shown, where it is small and needs no edit. */
  readonly whole: Buffer | undefined;
  /** `from` and `to` never lie within a header. */
  pieces(from: number, to: number): AsyncIterable<Buffer>;
}

/** @throws Refusal `mailbox-missing` when another session removed the message */
function storedOf({ maildrop, texts }: Session, entry: Entry): StoredMessage {
  const message = maildrop.message(entry);
  if (message === undefined) throw new Refusal('mailbox-missing', texts.removedElsewhere(entry.number));
  return message;
}

/** Without UTF8 a client gets no UTF-8 in headers (RFC 6856 section 2.1). */
function isFit({ utf8 }: Session, whole: Buffer): boolean {
  return utf8 === 'on' || isAscii(whole);
}

async function shownTo(session: Session, message: StoredMessage): Promise<ShownMessage> {
  const { size } = message;
  const whole = size <= pieceBytes ? await message.read(0, size) : undefined;
  // Of a large message several pieces are looked at together, but their memory is used again.
  const read = async (offset: number, length: number): Promise<Buffer> => whole?.subarray(offset, offset + length) ?? Buffer.from(await message.read(offset, length));
  // Structures are taken apart only of messages that have such bytes anywhere.
  const asItIs = session.utf8 === 'on' || (whole !== undefined && isFit(session, whole));
  const edits: readonly Edit[] = asItIs ? [] : await planSurrogate(message.structure.root, read);
  const more = edits.reduce((sum, edit) => sum + (edit.kind === 'replace' ? edit.bytes.length - (edit.end - edit.start) : 0), 0);
  return {
    size, octets: size + more, whole: edits.length === 0 ? whole : undefined,
    bodyStart: () => message.headerBytes, // a getter here would have V8 keep the message until it marks its heap
    pieces: (from, to) => {
      const here = edits.filter(({ start }) => start >= from && start < to);
      return here.length === 0 ? pieces(read, from, to) : edited(pieces(read, from, to), here, from);
    },
  };
}

async function* pieces(read: (offset: number, length: number) => Promise<Buffer>, from: number, to: number): AsyncGenerator<Buffer> {
  for (let at = from; at < to; at += pieceBytes) yield await read(at, Math.min(pieceBytes, to - at));
}

/** A small message goes without the machinery of pieces, which costs more than its bytes. */
function sendWhole({ output, texts }: Session, whole: Buffer): void {
  const encoder = new MultiLineEncoder();
  output.say(`+OK ${texts.octets(whole.length)}\r\n`);
  output.add(encoder.push(whole));
  output.say(encoder.end());
}

/** Once a piece was added, the response must be whole or the line cut: a client would take a part for the message. */
async function send(session: Session, text: string, source: AsyncIterable<Buffer>): Promise<'all' | 'a part'> {
  const { connection, output } = session;
  const encoder = new MultiLineEncoder();
  let begun = false;
  const begin = (): void => {
    if (!begun) output.say(`+OK ${text}\r\n`);
    begun = true;
  };
  try {
    for await (const piece of source) {
      if (connection.socket.destroyed) return 'a part';
      begin();
      output.add(encoder.push(piece));
      if (output.full) await output.flush();
    }
  } catch (error) {
    if (!begun) throw error;
    session.log.error({ err: error }, 'message could not be read to its end');
    await output.flush();
    session.cut();
    return 'a part';
  }
  begin();
  output.say(encoder.end());
  return 'all';
}

/** The header, the empty line, and the first lines of the body. */
async function* headerAndLines(message: ShownMessage, lines: number): AsyncGenerator<Buffer> {
  yield* message.pieces(0, message.bodyStart());
  if (lines === 0) return;
  let left = lines;
  for await (const piece of message.pieces(message.bodyStart(), message.size)) {
    let end = 0;
    while (left > 0 && end < piece.length) {
      const lineFeed = piece.indexOf(LF, end);
      if (lineFeed === -1) break;
      end = lineFeed + 1;
      left -= 1;
    }
    if (left === 0) {
      yield piece.subarray(0, end);
      return;
    }
    yield piece;
  }
}
