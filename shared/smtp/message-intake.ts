/** The way of one message from smtp-server's stream to a room's handler, and of the handler's replies back. */
import type { SMTPServerDataStream } from 'smtp-server';
import { Failure } from '../base/failure.ts';
import { isPositive, makeReply, replyWords } from './reply.ts';
import type { Reply } from './reply.ts';
import { SmtpRefused } from './refusal.ts';
import type { StrictConnection } from './strict-connection.ts';
import type { SessionSlot } from '../workers/command-slots.ts';

/** The bytes as they come; throws before their end when there is a reason not to take the message. */
export async function* wholeMessage(stream: SMTPServerDataStream, connection: StrictConnection): AsyncGenerator<Buffer, void, void> {
  try {
    for await (const piece of stream.iterator({ destroyOnReturn: false })) {
      const fault = messageFault(stream, connection);
      if (fault !== undefined) throw fault;
      if (Buffer.isBuffer(piece)) yield piece;
    }
  } catch (thrown) {
    throw thrown instanceof SmtpRefused ? thrown : new Failure('bad-input', 'the client is gone', { cause: thrown });
  }
  const fault = messageFault(stream, connection);
  if (fault !== undefined) throw fault;
}

export function messageFault(stream: SMTPServerDataStream, connection: StrictConnection): SmtpRefused | undefined {
  if (stream.sizeExceeded) return new SmtpRefused('message', makeReply(552, '5.3.4', 'message too big'));
  const defect = connection.parser?.messageDefect;
  return defect === undefined ? undefined : new SmtpRefused('message', makeReply(550, '5.6.0', `${defect} in the message: lines end with <CR><LF> and have a limit`));
}

export function refusalOf(reply: Reply): Error {
  return Object.assign(new Error(replyWords(reply)), { responseCode: reply.code });
}

export function wordsOrRefusal(reply: Reply): string | Error {
  return isPositive(reply) ? replyWords(reply) : refusalOf(reply);
}

export function wordsOf(replies: readonly Reply[]): string {
  const reply = replies.find((one) => !isPositive(one)) ?? replies[0];
  if (reply === undefined || !isPositive(reply)) throw new SmtpRefused('message', reply ?? makeReply(451, '4.3.0', 'no reply to the message'));
  return replyWords(reply);
}

/** While the client's next bytes are awaited the message needs no place. */
export async function* pausing(bytes: AsyncIterable<Buffer>, slot: SessionSlot | undefined): AsyncGenerator<Buffer, void, void> {
  if (slot === undefined) {
    yield* bytes;
    return;
  }
  const source = bytes[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await slot.without(async () => source.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await source.return?.();
  }
}
