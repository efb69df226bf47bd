/** Refusals as exceptions: what a client call throws when the server says no or nothing, and what a server's handler throws to say no. */
import { isTemporary, replyLine } from './reply.ts';
import type { Reply } from './reply.ts';

/** A reply that says no: received from a server (client side), or to be given to the client (server side). */
export class SmtpRefused extends Error {
  readonly stage: string;
  readonly reply: Reply;

  constructor(stage: string, reply: Reply) {
    super(`${stage}: ${replyLine(reply)}`);
    this.name = 'SmtpRefused';
    this.stage = stage;
    this.reply = reply;
  }

  get temporary(): boolean {
    return isTemporary(this.reply);
  }
}

/** The whole message was sent and the line broke (or time ran out) before the reply: it may have been taken (RFC 1047). */
export class OutcomeUnknown extends Error {
  /** LMTP: the replies that did come, for the first recipients. */
  readonly replies: readonly Reply[];

  constructor(replies: readonly Reply[], cause: unknown) {
    super('no reply after the final dot', { cause });
    this.name = 'OutcomeUnknown';
    this.replies = replies;
  }
}
