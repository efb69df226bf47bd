/** Tells the client of long work that it goes on (INPROGRESS, RFC 9585). */
import { formatString } from '../../shared/imap/strings.ts';
import type { Session } from './session.ts';

/** Clients give up after minutes of silence, and proxies sooner; more often than this nobody looks. */
const usualIntervalMs = 10_000;
/** A node that carries out a client's command here waits no longer than that for a word. */
const intervalForNodesMs = 4000;

export class Progress {
  readonly #session: Session;
  readonly #goal: number;
  readonly #intervalMs: number;
  #nextMs: number;
  /** Of parts that are behind us. */
  #passed = 0;
  /** What was reported last. */
  #done = 0;

  /** @param goal how much there is to be done, in whatever is counted; 0 when nobody knows. */
  constructor(session: Session, goal: number) {
    this.#session = session;
    this.#goal = goal;
    this.#intervalMs = session.options.limits.progressIntervalMs ?? (session.guest === undefined ? usualIntervalMs : intervalForNodesMs);
    this.#nextMs = performance.now() + this.#intervalMs;
  }

  /** Call it after each piece of work; the client hears of some of them. @param done of the goal. */
  async report(done: number): Promise<void> {
    this.#done = done;
    if (performance.now() < this.#nextMs || this.#session.abandoned || this.#session.legs.passing !== undefined) return;
    this.#nextMs = performance.now() + this.#intervalMs;
    this.#session.output.line(`* OK [INPROGRESS (${this.#tag()} ${this.#state(this.#passed + done)})] still working`);
    await this.#session.output.flush();
  }

  /** A part of so much is done: from now on reports count from its end. */
  pass(done: number): void {
    this.#passed += done;
    this.#done = 0;
  }

  /** Waits for work that can't be looked into, and tells the client that it goes on. */
  async during<Result>(work: Promise<Result>): Promise<Result> {
    const timer = setInterval(() => void this.report(this.#done), this.#intervalMs);
    try {
      return await work;
    } finally {
      clearInterval(timer);
    }
  }

  /** A bracket in the tag would end the response code. */
  #tag(): string {
    return this.#session.tag.includes(']') ? 'NIL' : formatString(this.#session.tag);
  }

  /** The goal is never reached before the command ends. */
  #state(done: number): string {
    return this.#goal === 0 ? 'NIL NIL' : `${String(Math.min(done, this.#goal - 1))} ${String(this.#goal)}`;
  }
}

/** Messages are looked for, and those that are found are looked at again, for their order. Each counts twice, as who does not match needs no second look: so the goal is known from the beginning, and stays. */
export class TwoLooks extends Progress {
  readonly #count: number;

  constructor(session: Session, count: number) {
    super(session, 2 * count);
    this.#count = count;
  }

  /** From now on reports count the second looks. @param found how many there will be */
  beginSecond(found: number): void {
    this.pass(2 * this.#count - found);
  }
}

/** Waits for a change of the storage: mostly no time at all, but as long as nobody may write there (a snapshot is made), and then the client is told that the command goes on. */
export async function untilWritten<Result>(session: Session, change: Promise<Result>): Promise<Result> {
  return new Progress(session, 0).during(change);
}
