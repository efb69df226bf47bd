/** The way of one message to a room's handler, and of the handler's replies back. */
import { isPositive, makeReply, replyWords } from './reply.ts';
import type { Reply } from './reply.ts';
import { SmtpRefused } from './refusal.ts';
import type { MessageInlet } from './message-inlet.ts';
import type { SessionSlot } from '../workers/command-slots.ts';

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
export function pausing(inlet: MessageInlet, slot: SessionSlot | undefined): AsyncIterable<Buffer> {
  if (slot === undefined) return inlet;
  return {
    [Symbol.asyncIterator]: () => {
      const { next, return: leave } = inlet[Symbol.asyncIterator]();
      return { next: () => (inlet.isEmpty ? slot.without(next) : next()), ...(leave === undefined ? {} : { return: leave }) };
    },
  };
}
