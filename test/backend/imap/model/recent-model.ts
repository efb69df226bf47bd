/**
 * \Recent (RFC 3501 section 2.3.2). What a session was told of is old to those that come later: at once for those of the same worker; for those of another
 * when the first has written something, or at any moment before that.
 */
import assert from 'node:assert/strict';

export type Worker = 'first' | 'second';

/** From which uid on messages of a mailbox are recent to who opens it. */
export class RecentMark {
  #written = 0;
  readonly #told = { first: 0, second: 0 };

  /** A session of that worker that may change the mailbox knows of all messages below the uid. */
  tell(worker: Worker, uid: number): void {
    this.#told[worker] = Math.max(this.#told[worker], uid);
  }

  noteWrite(worker: Worker): void {
    this.#written = Math.max(this.#written, this.#told[worker]);
  }

  /** A session of the worker hears that so many of the messages are recent. Answers the uid from which on. */
  hear(worker: Worker, { uids, number }: { readonly uids: readonly number[]; readonly number: number }): number {
    const countFrom = (uid: number): number => uids.filter((one) => one >= uid).length;
    const least = Math.max(this.#written, this.#told[worker]);
    const [most, fewest] = [countFrom(least), countFrom(Math.max(least, this.#told.first, this.#told.second))];
    assert.ok(number <= most && number >= fewest, `${String(number)} are recent, and not ${String(fewest)} to ${String(most)}`);
    const newestOld = uids.at(-1 - number) ?? 0;
    if (number < most) this.#written = Math.max(this.#written, newestOld + 1);
    return newestOld + 1;
  }
}

/** What a session knows of it in the mailbox that it has open. */
export class KnownRecent {
  readonly #mark: RecentMark;
  readonly #who: { readonly name: string; readonly worker: Worker; readonly access: 'read-write' | 'read-only' };
  /** Before SELECT was answered to its end: all. */
  #from = 0;
  #told: number | undefined;

  constructor(mark: RecentMark, who: { readonly name: string; readonly worker: Worker; readonly access: 'read-write' | 'read-only' }) {
    this.#mark = mark;
    this.#who = who;
  }

  /** What SELECT says. */
  begin(uids: readonly number[], number: number): void {
    this.#from = this.#mark.hear(this.#who.worker, { uids, number });
    this.#told = number;
    this.noteMessages(uids);
  }

  /** These are all that the client knows of. */
  noteMessages(uids: readonly number[]): void {
    if (this.#who.access === 'read-write') this.#mark.tell(this.#who.worker, (uids.at(-1) ?? 0) + 1);
  }

  has(uid: number): boolean {
    return uid >= this.#from;
  }

  countIn(uids: readonly number[]): number {
    return uids.filter((uid) => this.has(uid)).length;
  }

  /** Whether the client is still to hear how many there are. */
  isOwed(uids: readonly number[]): boolean {
    return this.#told !== undefined && this.#told !== this.countIn(uids);
  }

  hear(uids: readonly number[], number: number): void {
    assert.ok(this.isOwed(uids), `${this.#who.name}: RECENT without need`);
    assert.equal(number, this.countIn(uids), `${this.#who.name}: RECENT`);
    this.#told = number;
  }

  /** The flags of a message without that one, which it bears if it has to. */
  without(uid: number, flags: ReadonlySet<string>): ReadonlySet<string> {
    assert.equal(flags.has('\\Recent'), this.has(uid), `${this.#who.name}: \\Recent of ${String(uid)}`);
    return new Set([...flags].filter((flag) => flag !== '\\Recent'));
  }
}
