/**
 * How messages come in: after DATA, and in chunks of known length (BDAT, RFC 3030), which smtp-server lacks; both ways lead to the same
 * handler. A chunk's octets are always read, also when it is refused, so that nothing in a message is ever taken for a
 * command. BODY=BINARYMIME is not offered: lines have the same rules as after DATA.
 *
 * States: no message → (DATA or BDAT, with recipients) → open: text, or chunks → the final dot, BDAT LAST, or a refusal, RSET, EHLO → no message.
 */
import { MessageInlet } from './message-inlet.ts';
import { StrictConnection } from './strict-connection.ts';
import type { MessageOutcome } from './strict-connection.ts';
import { floodBytes } from './strict-parser.ts';
import type { StrictParser } from './strict-parser.ts';

interface Chunk {
  readonly octets: number;
  readonly place: 'last' | 'more';
}

interface OpenMessage {
  readonly outcome: Promise<MessageOutcome>;
  /** When it is known already. */
  known: MessageOutcome | undefined;
  /** The client waits for our reply. */
  deciding: boolean;
  /** Its client has so long to send it, also where it is refused already. */
  readonly timer: NodeJS.Timeout;
}

export class MessageConnection extends StrictConnection {
  #open: OpenMessage | undefined;
  /** Of each RCPT that was taken, the address without regard to case, as the package tells recipients apart. */
  #taken: string[] = [];

  override get busy(): boolean {
    return super.busy || this.#open !== undefined;
  }

  /** How many RCPT were taken in this transaction, repeated ones too. */
  get recipientsTaken(): number {
    return this.#taken.length;
  }

  /** A RCPT is about to be answered with 250. */
  takeRecipient(address: string): void {
    this.#taken.push(address.toLowerCase());
  }

  override _resetSession(): void {
    super._resetSession();
    this.#taken = [];
  }

  handler_BDAT(command: Buffer, callback: () => void): void {
    const { parser } = this;
    const chunk = readChunk(command.toString('latin1'));
    if (chunk === undefined || parser === undefined) {
      // It can't be known where the next command begins.
      this.send(501, '5.5.4 syntax: BDAT octets [LAST]');
      this.close();
      callback();
      return;
    }
    if (chunk.octets > floodBytes(this._server.settings.limits)) {
      this.refuseInput('message too big');
      callback();
      return;
    }
    const message = this.#open ?? this.#begin(parser);
    const ended = (goOn: () => void): void => this.#chunkEnded(chunk, { message, parser }, goOn);
    if (chunk.octets === 0) {
      ended(callback);
      return;
    }
    parser.takeChunk(chunk.octets, ended);
    callback();
  }

  override handler_DATA(command: Buffer, callback: () => void): void {
    if (this.#open !== undefined) {
      this.#outOfPlace(callback);
      return;
    }
    const { parser } = this;
    const message = parser === undefined ? undefined : this.#begin(parser);
    if (parser === undefined || message === undefined) {
      super.handler_DATA(command, callback); // which refuses it
      return;
    }
    parser.takeText((goOn) => this.#decide(message, 'last', goOn));
    this.send(354, 'End data with <CR><LF>.<CR><LF>');
    callback();
  }

  override handler_RCPT(command: Buffer, callback: () => void): void {
    if (this.#open === undefined) super.handler_RCPT(command, callback);
    else this.#outOfPlace(callback);
  }

  override handler_STARTTLS(command: Buffer, callback: () => void): void {
    if (this.#open === undefined) super.handler_STARTTLS(command, callback);
    else this.#outOfPlace(callback);
  }

  override handler_RSET(command: Buffer, callback: () => void): void {
    this.#abandon(() => super.handler_RSET(command, callback));
  }

  override handler_EHLO(command: Buffer, callback: () => void): void {
    this.#abandon(() => super.handler_EHLO(command, callback));
  }

  override handler_HELO(command: Buffer, callback: () => void): void {
    this.#abandon(() => super.handler_HELO(command, callback));
  }

  override handler_QUIT(command: Buffer, callback: () => void): void {
    this.#abandon(() => super.handler_QUIT(command, callback));
  }

  override _onTimeout(): void {
    if (this.#open?.deciding === true && !this._closing) this._armTimeout();
    else super._onTimeout();
  }

  override _onClose(): void {
    if (this.#open !== undefined) {
      this.parser?.abandonMessage();
      clearTimeout(this.#open.timer);
    }
    this.#open = undefined;
    super._onClose();
  }

  /** The handler gets the message; undefined when there is nobody to send it to. */
  #begin(parser: StrictParser): OpenMessage | undefined {
    if (this.session.envelope.rcptTo.length === 0) return undefined;
    const inlet = new MessageInlet(this._server.settings.limits.maxMessageBytes);
    parser.beginMessage(inlet);
    const outcome = this._server.settings.takeMessage(inlet, this.session);
    const timer = setTimeout(() => {
      if (!message.deciding) this.send(421, '4.4.2 the message took too long', false); // one that is here is being taken: its client would send it again
    }, this._server.settings.limits.maxDataMs);
    const message: OpenMessage = { outcome, known: undefined, deciding: false, timer };
    void outcome.then((known) => {
      message.known = known;
    });
    this.#open = message;
    return message;
  }

  #chunkEnded(chunk: Chunk, { message, parser }: { readonly message: OpenMessage | undefined; readonly parser: StrictParser }, goOn: () => void): void {
    if (message === undefined || message !== this.#open) {
      this.send(503, '5.5.1 no message to add this to: MAIL and RCPT first');
      goOn();
      return;
    }
    if (chunk.place === 'last') parser.endChunks();
    else if (message.known === undefined) {
      this.send(250, `2.0.0 ${String(chunk.octets)} octets received`);
      goOn();
      return;
    } else parser.abandonMessage();
    this.#decide(message, chunk.place, goOn);
  }

  /** Nothing more of it comes: the client hears what became of it. */
  #decide(message: OpenMessage, place: Chunk['place'], goOn: () => void): void {
    message.deciding = true;
    void message.outcome.then((outcome) => {
      this.#over();
      this.#say(outcome, place);
      this._resetSession();
      goOn();
    });
  }

  /** One reply, and in LMTP one for each RCPT that was taken, if the message is whole: two where an address was given twice (RFC 2033 section 4.2). */
  #say(outcome: MessageOutcome, place: Chunk['place']): void {
    const answer = outcome.at === 'refused' ? outcome.error : outcome.answer;
    const copies = this._server.options.lmtp === true && place === 'last' ? this.#taken.length : 1;
    const replies = typeof answer === 'string' || answer instanceof Error ? Array.from({ length: copies }, () => answer) : this.#forTaken(answer);
    for (const reply of replies) {
      if (typeof reply === 'string') this.send(250, reply, 'DATA_OK');
      else this.send('responseCode' in reply && typeof reply.responseCode === 'number' ? reply.responseCode : 450, reply.message);
    }
  }

  /** @param answers one for each recipient, of which one that was named again is one */
  #forTaken<Answer>(answers: readonly Answer[]): readonly Answer[] {
    if (answers.length === this.#taken.length) return answers;
    const answerOf = new Map(this.session.envelope.rcptTo.map(({ address }, index) => [address.toLowerCase(), answers[index]]));
    return this.#taken.flatMap((address) => answerOf.get(address) ?? []);
  }

  #over(): void {
    clearTimeout(this.#open?.timer);
    this.#open = undefined;
    this._transactionCounter += 1;
    this._unrecognizedCommands = 0;
  }

  /** The message is given up; goes on when its handler has let go of it. */
  #abandon(goOn: () => void): void {
    const message = this.#open;
    if (message === undefined) {
      goOn();
      return;
    }
    this.parser?.abandonMessage();
    void message.outcome.then(() => {
      this.#over();
      goOn();
    });
  }

  /** RFC 3030 section 2: DATA and BDAT don't mix; and who gets the message is settled when it begins. */
  #outOfPlace(callback: () => void): void {
    this.send(503, '5.5.1 a message in chunks is under way: BDAT, or RSET');
    callback();
  }
}

function readChunk(line: string): Chunk | undefined {
  const match = /^BDAT +(\d{1,15})( +LAST)? *$/iu.exec(line);
  if (match === null) return undefined;
  return { octets: Number(match[1]), place: match[2] === undefined ? 'more' : 'last' };
}
