/** APPEND and REPLACE on another node: each literal goes there as it comes, once that node has asked for it. */
import type { AppendArguments, AppendPiece } from '../../shared/imap/append-arguments.ts';
import { withoutWaiting } from '../../shared/imap/relayed-text.ts';
import { Scanner } from '../../shared/imap/scanner.ts';
import { BoundedHeader } from '../../shared/mime/header-end.ts';
import { headerTooLong } from './incoming-messages.ts';
import type { Leg } from './leg.ts';
import type { Completion } from './replies.ts';
import type { Session } from './session.ts';

/** As it goes to the other node. */
export interface RelayedAppend {
  /** Its first stretch, up to a literal or whole. */
  readonly text: string;
  readonly given: AppendArguments;
}

/** @throws Failure; what the other node does not want of the command is still unread then, and after a refusal */
export async function relayMessages(session: Session, leg: Leg, { text: first, given }: RelayedAppend): Promise<Completion> {
  const { rest, tag } = session;
  leg.begin('command');
  const headers = new RelayedHeaders(session.options.limits.maxHeaderBytes);
  headers.read(given.pieces);
  let text = first;
  while (rest.end === 'literal') {
    await leg.say(`${withoutWaiting(text)}${rest.announcement}`);
    const said = await leg.next(tag);
    if (typeof said !== 'string') return said;
    let unsaidBytes = rest.size;
    try {
      for await (const bytes of rest.bytes()) {
        headers.add(bytes);
        await leg.write(bytes);
        unsaidBytes -= bytes.length;
      }
      ({ text } = await rest.nextStretch());
      headers.read(given.grammar.read(new Scanner(text), rest.end));
    } catch (error) {
      await takeBack(session, leg, unsaidBytes);
      throw error;
    }
  }
  await leg.say(withoutWaiting(text));
  return leg.end(tag);
}

const filling = Buffer.alloc(64 * 1024, ' ');

/**
 * The other node must not take what has come to nothing. A mailbox that is open there stays so: the literal is filled up, and then the command ends as none may.
 * @param unsaidBytes of the literal. Never rejects.
 */
async function takeBack(session: Session, leg: Leg, unsaidBytes: number): Promise<void> {
  if (session.connection.inputEnded) return leg.close();
  try {
    for (let left = unsaidBytes; left > 0; left -= filling.length) await leg.write(filling.subarray(0, left));
    await leg.say(' *');
    const { status } = await leg.end(session.tag);
    if (status === 'OK') throw new Error('a command without an end was carried out');
  } catch (error) {
    session.log.warn({ err: error, owner: leg.owner }, 'a message could not be taken back from another node');
    leg.close();
  }
}

/** The header sections of a command's messages. The other node, to which copies come by the same command, does not ask how long they are, but for those that it puts together. */
class RelayedHeaders {
  readonly #maxBytes: number;
  /** Of the message that comes; undefined behind a part that only the other node sees: whether the header goes on is not known then. */
  #header: BoundedHeader | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  read(pieces: readonly AppendPiece[]): void {
    for (const { kind } of pieces) {
      if (kind === 'message') this.#header = new BoundedHeader(this.#maxBytes, () => headerTooLong(this.#maxBytes));
      else if (kind === 'url') this.#header = undefined;
    }
  }

  /** The next bytes of a literal. @throws Failure('message-too-big') */
  add(bytes: Buffer): void {
    this.#header?.add(bytes);
  }
}
