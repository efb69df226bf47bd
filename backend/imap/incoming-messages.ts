/** The messages of an APPEND or REPLACE: literals go to the storage as they come, and so do the parts of messages that URLs name (RFC 4469). */
import { Failure } from '../../shared/base/failure.ts';
import type { AppendArguments, AppendPiece } from '../../shared/imap/append-arguments.ts';
import { Scanner } from '../../shared/imap/scanner.ts';
import { HeaderCharacters } from '../../shared/mime/header-characters.ts';
import { withinHeaderLimit } from '../../shared/mime/header-end.ts';
import type { Account, AppendMarks, MessageBytes, StagedMessage } from '../storage/storage.ts';
import { flagMarks } from './flag-texts.ts';
import { Refusal, no } from './replies.ts';
import type { Session } from './session.ts';
import { openPart } from './url-content.ts';

export interface IncomingMessage {
  readonly staged: StagedMessage;
  readonly marks: AppendMarks;
}

/** Messages of one command: they are held until all are there. */
const mostMessages = 1000;

export interface Reception {
  readonly session: Session;
  /** Whose storage takes the messages. */
  readonly account: Account;
  readonly most: 'one' | 'many' | 'any number';
  /** What the account holds less when the command is done. */
  readonly freedBytes: number;
}

/** Takes a message over; answers how many bytes are held for the command then. */
type Take = (message: IncomingMessage) => Promise<number>;

type MessagePiece = Extract<AppendPiece, { kind: 'message' }>;

/** Takes the command's messages up to its end, gives them to `use`, and forgets what was not stored. */
export async function withMessages<Result>(reception: Reception, given: AppendArguments, use: (messages: readonly IncomingMessage[]) => Promise<Result>): Promise<Result> {
  const incoming = new Incoming(reception, given);
  try {
    await incoming.receiveAll();
    return await use(incoming.messages);
  } finally {
    await Promise.all(incoming.messages.map(async ({ staged }) => staged.discard()));
  }
}

/** Gives each of the command's messages to `take` as it has come, however many they are: for another node, which copies them as one command of its client's. */
export async function takeMessages(reception: Omit<Reception, 'most'>, given: AppendArguments, take: Take): Promise<void> {
  await new Incoming({ ...reception, most: 'any number' }, given, take).receiveAll();
}

class Incoming {
  readonly messages: IncomingMessage[] = [];
  readonly #reception: Reception;
  readonly #given: AppendArguments;
  readonly #take: Take | undefined;
  #pieces: AppendPiece[];
  /** Of the messages that are held. */
  #heldBytes = 0;
  /** Whether the client announced UTF-8 in the message that comes. */
  #saidUtf8 = false;

  constructor(reception: Reception, given: AppendArguments, take?: Take) {
    this.#reception = reception;
    this.#take = take;
    this.#given = given;
    this.#pieces = [...given.pieces];
  }

  async receiveAll(): Promise<void> {
    const most = { one: 1, many: mostMessages, 'any number': Number.POSITIVE_INFINITY }[this.#reception.most];
    let count = 0;
    for (let piece = await this.#next(); piece !== undefined; piece = await this.#next()) {
      if (piece.kind !== 'message') throw new Error(`${piece.kind} where a message begins`);
      if (count >= most) throw new Failure(most === 1 ? 'bad-input' : 'limit', 'too many messages in one command');
      count += 1;
      await this.#receive(piece);
    }
  }

  async #receive({ item, form }: MessagePiece): Promise<void> {
    const { session, account } = this.#reception;
    const marks = { ...flagMarks(item.flags), internalDateMs: item.internalDateMs };
    this.#saidUtf8 = false;
    const header = new HeaderCharacters();
    const source = form === 'parts' ? this.#headerBounded(watched(this.#parts(), header), Infinity) : await this.#literal(header);
    const staged = await account.stage(source, session.options.limits.maxMessageBytes);
    if (this.#take === undefined) {
      this.messages.push({ staged, marks });
      this.#heldBytes += staged.size;
    } else this.#heldBytes = await this.#take({ staged, marks });
    // The form is for clients that enabled it (RFC 6855 section 4), and for a node that carries messages over, whatever its client has enabled.
    const takesUtf8 = session.strings === 'utf-8' || session.guest !== undefined;
    if (this.#saidUtf8 && header.isInternational && !takesUtf8) throw new Refusal(no('say ENABLE UTF8=ACCEPT first: there is UTF-8 in the header', 'CANNOT'));
  }

  /** A message that is one literal; `header` sees it where the client says that it is UTF-8. */
  async #literal(header: HeaderCharacters): Promise<MessageBytes> {
    const piece = await this.#next(); // the literal itself
    this.#saidUtf8 = piece?.kind === 'literal' && piece.holds === 'UTF-8';
    const { rest } = this.#reception.session;
    const { size } = rest;
    this.#checkSize(size);
    if (size === 0) throw emptyMessage();
    const pieces = rest.piecesHere();
    if (pieces === undefined) return this.#headerBounded(this.#saidUtf8 ? watched(rest.bytes(), header) : rest.bytes(), size);
    if (this.#saidUtf8) for (const piece of pieces) header.add(piece);
    return this.#headerBounded(pieces, size);
  }

  /** The message, which ends with a refusal where its header section is too long. @param mostBytes what it may have in all; unknown of what is put together */
  #headerBounded(message: MessageBytes, mostBytes: number): MessageBytes {
    const { options: { limits: { maxHeaderBytes } }, guest } = this.#reception.session;
    // A whole message that a node carries over is in the cluster already.
    if (mostBytes <= maxHeaderBytes || (guest !== undefined && mostBytes < Infinity)) return message;
    return withinHeaderLimit(message, maxHeaderBytes, () => headerTooLong(maxHeaderBytes));
  }

  /** A message that is put together. */
  async *#parts(): AsyncGenerator<Buffer, void, void> {
    const { session } = this.#reception;
    const { rest } = session;
    let size = 0;
    for (let piece = await this.#next(); piece?.kind === 'url' || piece?.kind === 'literal'; piece = await this.#next()) {
      if (piece.kind === 'literal' && piece.holds === 'UTF-8') this.#saidUtf8 = true;
      const part = piece.kind === 'url' ? await openPart(session, piece.url) : { size: rest.size, bytes: () => rest.bytes() };
      size += part.size;
      this.#checkSize(size);
      yield* part.bytes();
    }
    if (size === 0) throw emptyMessage();
  }

  /** Known before the first byte of a literal. */
  #checkSize(size: number): void {
    const { session, account, freedBytes } = this.#reception;
    const { maxMessageBytes } = session.options.limits;
    if (size > maxMessageBytes) throw new Failure('message-too-big', `messages may have at most ${String(maxMessageBytes)} bytes`);
    requireRoom(account, this.#heldBytes + size - freedBytes);
  }

  /** The next piece of the command; undefined at its end. */
  async #next(): Promise<AppendPiece | undefined> {
    const { rest } = this.#reception.session;
    while (this.#pieces.length === 0) {
      if (rest.isOver) return undefined;
      const { text, end } = await rest.nextStretch();
      this.#pieces = this.#given.grammar.read(new Scanner(text), end);
    }
    return this.#pieces.shift();
  }
}

/** @param maxBytes what it may have */
export function headerTooLong(maxBytes: number): Failure {
  return new Failure('message-too-big', `the header of a message may have at most ${String(maxBytes)} bytes`);
}

/** What is held before it enters takes the disk's space, so it is refused before that, not after. @throws over-quota */
function requireRoom(account: Account, moreBytes: number): void {
  const { bytes, bytesLimit } = account.quota();
  if (bytesLimit > 0 && moreBytes > 0 && bytes + moreBytes > bytesLimit) throw new Failure('over-quota', 'the mailbox is full');
}

async function* watched(source: AsyncIterable<Buffer>, header: HeaderCharacters): AsyncGenerator<Buffer, void, void> {
  for await (const piece of source) {
    header.add(piece);
    yield piece;
  }
}

function emptyMessage(): Failure {
  return new Failure('limit', 'a message may not be empty');
}
