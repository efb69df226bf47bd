/**
 * A message on its way from the client to the one who reads it, piece by piece, whichever way it comes (DATA, BDAT). In the place of a stream of
 * Node's with its iterator, which cost a small message more than all its commands.
 */
import { Failure } from '../base/failure.ts';
import { makeReply } from './reply.ts';
import { SmtpRefused } from './refusal.ts';
import type { LineDefect } from './strict-lines.ts';

/** What waits for the reader beyond this holds the client up, bytes. */
const mostWaitingBytes = 64 * 1024;
/** What a piece takes in memory beside its own bytes, about: a client may send each byte by itself. */
const pieceCostBytes = 512;

type Inflow = { readonly at: 'coming' } | { readonly at: 'whole' } | { readonly at: 'cut'; readonly why: string };
type Next = IteratorResult<Buffer, undefined>;

interface Reader {
  readonly resolve: (next: Next) => void;
  readonly reject: (error: Error) => void;
}

const noMore: Next = { done: true, value: undefined };

export class MessageInlet implements AsyncIterable<Buffer> {
  /** What is wrong with its lines, if anything is known to be. */
  defect: LineDefect | undefined;
  readonly #maxBytes: number;
  readonly #pieces: Buffer[] = [];
  #waitingBytes = 0;
  #byteLength = 0;
  #inflow: Inflow = { at: 'coming' };
  #reader: Reader | 'none yet' | 'gone' = 'none yet';
  /** Lets the client go on when there is room again. */
  #goOn: (() => void) | undefined;

  /** @param maxBytes of a message that is taken; a greater one is read, and refused */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Of all that came. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Why it is to be refused, as far as that is known. */
  get fault(): SmtpRefused | undefined {
    if (this.#byteLength > this.#maxBytes) return new SmtpRefused('message', makeReply(552, '5.3.4', 'message too big'));
    return this.defect === undefined ? undefined : new SmtpRefused('message', makeReply(550, '5.6.0', `${this.defect} in the message: lines end with <CR><LF> and have a limit`));
  }

  /** The client owes us the rest. */
  get isComing(): boolean {
    return this.#inflow.at === 'coming';
  }

  /** The reader has to wait for the client. */
  get isEmpty(): boolean {
    return this.#pieces.length === 0 && this.isComing;
  }

  /** The client's next bytes. `goOn` is called when more may come: at once, or when the reader has taken some. */
  push(piece: Buffer, goOn: () => void): void {
    this.#byteLength += piece.length;
    if (piece.length > 0 && this.#reader !== 'gone') {
      this.#pieces.push(piece);
      this.#waitingBytes += piece.length + pieceCostBytes;
      this.#serve();
    }
    if (this.#waitingBytes < mostWaitingBytes) goOn();
    else this.#goOn = goOn;
  }

  /** All of it has come. */
  end(): void {
    this.#stop({ at: 'whole' });
  }

  /** It will never be whole: its reader hears of that, after all that came. */
  cut(why: string): void {
    this.#stop({ at: 'cut', why });
  }

  /** Nobody reads it any more: the rest is thrown away as it comes. */
  leave(): void {
    this.#reader = 'gone';
    this.#pieces.length = this.#waitingBytes = 0;
    this.#makeRoom();
  }

  /** For one reader. It throws before the end when there is a reason not to take the message, `bad-input` when the client is gone. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    return {
      next: () => new Promise<Next>((resolve, reject) => {
        if (this.#reader === 'gone') throw new Error('the reader has left');
        this.#reader = { resolve, reject };
        this.#serve();
      }),
      return: () => {
        this.leave();
        return Promise.resolve(noMore);
      },
    };
  }

  #stop(inflow: Inflow): void {
    if (this.#inflow.at !== 'coming') return;
    this.#inflow = inflow;
    this.#serve();
    if (inflow.at === 'cut') this.#makeRoom();
  }

  /** Gives whoever waits what there is. */
  #serve(): void {
    const reader = this.#reader;
    if (typeof reader === 'string' || this.isEmpty) return;
    this.#reader = 'none yet';
    const { fault } = this;
    const piece = this.#pieces.shift();
    if (fault !== undefined) reader.reject(fault);
    else if (piece !== undefined) {
      this.#waitingBytes -= piece.length + pieceCostBytes;
      reader.resolve({ done: false, value: piece });
    } else if (this.#inflow.at === 'cut') reader.reject(new Failure('bad-input', 'the client is gone', { cause: new Error(this.#inflow.why) }));
    else reader.resolve(noMore);
    if (this.#waitingBytes < mostWaitingBytes) this.#makeRoom();
  }

  #makeRoom(): void {
    const goOn = this.#goOn;
    this.#goOn = undefined;
    goOn?.();
  }
}
