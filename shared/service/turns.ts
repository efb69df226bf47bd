/**
 * Whose turn it is to be handed a connection. Node hands the next one to whichever worker says first that it took its last: of twenty that
 * came together, one of two workers was seen to get eighteen, since the other one did not run just then. Here nobody has a second turn before others
 * have taken an earlier one, or have let it wait for too long. Knows nothing of processes.
 */

/** Who leaves a connection untaken for longer is not waited for: it hangs, or has more than enough to do. */
const patienceMs = 40;

interface Turn {
  /** Of connections to one listener. */
  readonly listener: unknown;
  readonly untilMs: number;
}

interface Held {
  readonly listener: unknown;
  readonly number: number;
  readonly goOn: () => void;
}

export class Turns {
  /** Handed out and not taken yet, by number, the earliest first. */
  readonly #untaken = new Map<number, Turn>();
  #held: Held[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** A connection is handed out. @param number larger than of any before */
  handed(number: number, listener: unknown): void {
    this.#untaken.set(number, { listener, untilMs: performance.now() + patienceMs });
  }

  /** It was taken. @param goOn lets who took it have its next turn: called now, or when those with earlier turns have taken theirs */
  taken(number: number, goOn: () => void): void {
    const turn = this.#untaken.get(number);
    this.#untaken.delete(number);
    if (turn === undefined) return goOn();
    this.#held.push({ listener: turn.listener, number, goOn });
    this.#letGo();
  }

  /** It was refused: whoever got it takes no more, and another one gets it. */
  refused(number: number): void {
    this.#untaken.delete(number);
    this.#letGo();
  }

  #letGo(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const nowMs = performance.now();
    const isDue = ({ listener, number }: Held): boolean => this.#waitedFor(listener, number, nowMs) === undefined;
    const due = this.#held.filter(isDue).sort((one, other) => one.number - other.number);
    this.#held = this.#held.filter((held) => !due.includes(held));
    const ends = this.#held.flatMap(({ listener, number }) => this.#waitedFor(listener, number, nowMs)?.untilMs ?? []);
    if (ends.length > 0) this.#timer = setTimeout(() => this.#letGo(), Math.ceil(Math.min(...ends) - nowMs));
    for (const { goOn } of due) goOn(); // last: each may hand out the next
  }

  /** The earliest turn before that one which may still be taken in time. */
  #waitedFor(listener: unknown, number: number, nowMs: number): Turn | undefined {
    for (const [earlier, turn] of this.#untaken) if (earlier < number && turn.listener === listener && turn.untilMs > nowMs) return turn;
    return undefined;
  }
}
