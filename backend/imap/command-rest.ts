/** What of a command is still in the stream while it runs: literals of messages, and the text between them. */
import { isFailure, Failure } from '../../shared/base/failure.ts';
import { isBeforeUrl } from '../../shared/imap/append-arguments.ts';
import type { StretchEnd } from '../../shared/imap/append-arguments.ts';
import { announcedLiteral } from '../../shared/imap/command-reader.ts';
import type { AnnouncedLiteral } from '../../shared/imap/command-reader.ts';
import { discard, maxCommandBytes } from './command-input.ts';
import type { Session } from './session.ts';

/** A larger one is read as it comes, whatever is here. */
const smallLiteralBytes = 256 * 1024;

type Unread =
  | { readonly at: 'nothing' }
  | { readonly at: 'literal'; readonly literal: AnnouncedLiteral }
  /** The line goes on behind a literal. */
  | { readonly at: 'line' };

export interface Stretch {
  readonly text: string;
  readonly end: StretchEnd;
}

export class CommandRest {
  readonly #session: Session;
  #unread: Unread = { at: 'nothing' };

  constructor(session: Session) {
    this.#session = session;
  }

  /** The next command was read up to this literal, or whole. */
  begin(literal: AnnouncedLiteral | undefined): void {
    this.#unread = literal === undefined ? { at: 'nothing' } : { at: 'literal', literal };
  }

  /** How the stretch that was read last ends. */
  get end(): StretchEnd {
    return this.#unread.at === 'literal' ? 'literal' : 'end';
  }

  /** Bytes of the literal that is next. A client that waits for our leave has not been given it. */
  get size(): number {
    return this.#unread.at === 'literal' ? this.#unread.literal.size : 0;
  }

  /** How the literal that is next is announced to another node, which is to ask for it. */
  get announcement(): string {
    return this.#unread.at === 'literal' ? `${this.#unread.literal.holds === 'binary' ? '~' : ''}{${String(this.#unread.literal.size)}}` : '';
  }

  /** True when the command has been read to its end. */
  get isOver(): boolean {
    return this.#unread.at === 'nothing';
  }

  /** Asks for the literal, where that is due, and reads it as it comes. @throws bad-input where it has bytes that it may not have */
  async *bytes(): AsyncGenerator<Buffer, void, void> {
    if (this.#unread.at !== 'literal') throw new Error('no literal is next');
    const { size, kind, holds } = this.#unread.literal;
    if (kind === 'synchronizing') await this.#session.invite('Ready for literal');
    let left = size;
    this.#unread = behind(left);
    for await (const piece of this.#session.connection.readStream(size)) {
      left -= piece.length;
      this.#unread = behind(left);
      demandHeld(piece, holds);
      yield piece;
    }
  }

  /** All of the literal, where it has come already: reading it costs much less than reading what comes. @throws bad-input as `bytes` */
  piecesHere(): readonly Buffer[] | undefined {
    if (this.#unread.at !== 'literal') throw new Error('no literal is next');
    const { literal: { size, kind, holds } } = this.#unread;
    const pieces = kind === 'synchronizing' || size > smallLiteralBytes ? undefined : this.#session.connection.takePieces(size);
    if (pieces === undefined) return undefined;
    this.#unread = behind(0);
    for (const piece of pieces) demandHeld(piece, holds);
    return pieces;
  }

  /** The text behind a literal, up to the next one of a message or the end. @throws bad-input, limit */
  async nextStretch(): Promise<Stretch> {
    const { connection } = this.#session;
    let text = '';
    for (;;) {
      const line = await connection.readLine();
      if (line === undefined) throw new Failure('bad-input', 'connection closed in the middle of a command');
      const announced = announcedLiteral(line);
      this.begin(announced?.literal);
      if (text.length + line.length > maxCommandBytes) throw new Failure('bad-input', 'command too long');
      if (announced === undefined) return { text: text + line, end: 'end' };
      if (!isBeforeUrl(announced.before)) return { text: text + announced.before, end: 'literal' };
      if (text.length + line.length + announced.literal.size > maxCommandBytes) throw new Failure('bad-input', 'command too long');
      text += `${line}\r\n`;
      for await (const piece of this.bytes()) text += piece.toString('latin1');
    }
  }

  /** Reads past whatever was not read: the client goes on sending, whatever made us give up. */
  async pass(): Promise<void> {
    const unread = this.#unread;
    this.#unread = { at: 'nothing' };
    if (unread.at === 'nothing') return;
    try {
      const literal = unread.at === 'literal' ? unread.literal : announcedLiteral((await this.#session.connection.readLine()) ?? '')?.literal;
      await discard(this.#session, literal);
    } catch (error) {
      if (!isFailure(error)) throw error; // whoever reads the next command meets it again
    }
  }
}

function behind(left: number): Unread {
  return left === 0 ? { at: 'line' } : { at: 'literal', literal: { size: left, kind: 'non-synchronizing', holds: 'binary' } }; // whatever is left is passed over
}

/** RFC 9051 section 9: NUL stands nowhere but in a literal8. */
function demandHeld(bytes: Buffer, holds: AnnouncedLiteral['holds']): void {
  if (holds === 'text' && bytes.includes(0)) throw new Failure('bad-input', 'NUL is not allowed in a literal: a message that holds it is sent as a literal8 (RFC 3516)');
}
