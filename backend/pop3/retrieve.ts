/** Commands that send messages: RETR and TOP (RFC 1939 sections 5 and 7). Bytes go out as they were stored, in pieces, as fast as the client takes them. */
import { MultiLineEncoder } from '../../shared/pop3/multi-line.ts';
import { parseNumbers } from '../../shared/pop3/command.ts';
import type { StoredMessage } from '../storage/storage.ts';
import type { Session } from './session.ts';
import { countRetrieval } from '../../shared/metrics/service-counters.ts';

/** So much is read at a time, and joined for one write. */
const pieceBytes = 64 * 1024;

const LF = 0x0a;

export async function retr(session: Session, argument: string): Promise<undefined> {
  const { maildrop } = session;
  const [number = 0] = parseNumbers(argument, 1, 'RETR number');
  const entry = maildrop.entry(number);
  const message = maildrop.message(entry);
  const sent = await send(session, `${String(message.size)} octets`, pieces(message, 0));
  if (sent === 'all') countRetrieval(message.size);
  if (sent === 'all') maildrop.markSeen(entry);
  return undefined;
}

export async function top(session: Session, argument: string): Promise<undefined> {
  const { maildrop } = session;
  const [number = 0, lines = 0] = parseNumbers(argument, 2, 'TOP number lines');
  const message = maildrop.message(maildrop.entry(number));
  await send(session, 'top of message follows', headerAndLines(message, lines));
  return undefined;
}

/** Once a byte has left, the response must be whole or the line cut: a client would take a part for the message. */
async function send(session: Session, text: string, source: AsyncIterable<Buffer>): Promise<'all' | 'a part'> {
  const { connection } = session;
  const encoder = new MultiLineEncoder();
  let pending: Buffer = Buffer.from(`+OK ${text}\r\n`, 'latin1');
  let begun = false;
  try {
    for await (const piece of source) {
      if (connection.socket.destroyed) return 'a part';
      const encoded = encoder.push(piece);
      if (pending.length + encoded.length > pieceBytes) {
        begun = true;
        await connection.write(pending);
        pending = encoded;
      } else {
        pending = Buffer.concat([pending, encoded]);
      }
    }
  } catch (error) {
    if (!begun) throw error;
    session.log.error({ err: error }, 'message could not be read to its end');
    session.cut();
    return 'a part';
  }
  await connection.write(Buffer.concat([pending, encoder.end()]));
  return connection.socket.destroyed ? 'a part' : 'all';
}

async function* pieces(message: StoredMessage, from: number, to = message.size): AsyncGenerator<Buffer> {
  for (let at = from; at < to; at += pieceBytes) yield await message.read(at, Math.min(pieceBytes, to - at));
}

/** The header, the empty line, and the first lines of the body. */
async function* headerAndLines(message: StoredMessage, lines: number): AsyncGenerator<Buffer> {
  const { bodyStart } = message.structure.root;
  yield* pieces(message, 0, bodyStart);
  if (lines === 0) return;
  let left = lines;
  for await (const piece of pieces(message, bodyStart)) {
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
