/**
 * How many commands of one service may be at work at the same time in this process (`maxConnThreads`). Further ones wait
 * in the order in which they came, one for each connection; what their clients send meanwhile stays in the socket. A command that waits for its own client
 * (more input, room for output) gives its place to others meanwhile, so slow clients take nothing from anybody.
 */
import { gauge } from '../metrics/metrics.ts';

const labels = ['service'] as const;
const working = gauge({ name: 'waybill_commands_working', labels, help: 'Commands that are carried out now, by service.' });
const waiting = gauge({ name: 'waybill_commands_waiting', labels, help: 'Commands that wait for their turn, by service: maxConnThreads are at work.' });

export class CommandSlots {
  readonly #labels: { readonly service: string };
  readonly #queue: (() => void)[] = [];
  #free: number;

  /** @param max at the same time in this process */
  constructor(service: string, max: number) {
    this.#labels = { service };
    this.#free = max;
  }

  /** Takes a place, waiting for it if need be. */
  async take(): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else {
      waiting.add(this.#labels);
      await new Promise<void>((resolve) => this.#queue.push(resolve)); // the place is handed over
      waiting.add(this.#labels, -1);
    }
    working.add(this.#labels);
  }

  /** The same where nothing has to be waited for. It is noted (`noteWork`) where others get their turn before it is given back, else `undo` gives it back. */
  takeNow(): 'taken' | 'none is free' {
    if (this.#free <= 0) return 'none is free';
    this.#free -= 1;
    return 'taken';
  }

  undo(): void {
    this.#free += 1;
  }

  noteWork(): void {
    working.add(this.#labels);
  }

  giveBack(): void {
    working.add(this.#labels, -1);
    const next = this.#queue.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

/** The place of one session: it has one while its command works, and not while that waits for the client. */
export class SessionSlot {
  readonly #slots: CommandSlots;
  #running = false;
  #holds = false;
  #taking: Promise<void> | undefined;
  #pauses = 0;

  constructor(slots: CommandSlots) {
    this.#slots = slots;
  }

  /** Runs a command in a place. One at a time in a session. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (!this.#takeNow()) await this.#take();
    this.#running = true;
    try {
      return await work();
    } finally {
      this.#running = false;
      this.#giveBack();
    }
  }

  /** As `run`, of work that often needs no wait: if a place is free such work is done when this returns, or has thrown. */
  runNow<Result>(work: () => Result | Promise<Result>): Result | Promise<Result> {
    if (this.#holds || this.#slots.takeNow() !== 'taken') return this.run(async () => work());
    this.#holds = this.#running = true;
    let result: Result | Promise<Result> | undefined;
    try {
      result = work();
      return result instanceof Promise ? this.#finish(result) : result;
    } finally {
      if (!(result instanceof Promise)) this.#endNow();
    }
  }

  #endNow(): void {
    this.#running = false;
    if (this.#holds) this.#slots.undo();
    else this.#slots.noteWork(); // a wait that nobody awaits has given it back as a noted one
    this.#holds = false;
  }

  async #finish<Result>(result: Promise<Result>): Promise<Result> {
    this.#slots.noteWork();
    try {
      return await result;
    } finally {
      this.#running = false;
      this.#giveBack();
    }
  }

  /** Waits for something without a place; afterwards the command has one again. Several waits may overlap. */
  without<Result>(wait: () => Promise<Result>): Promise<Result> {
    return this.#running ? this.#pause(wait) : wait();
  }

  async #pause<Result>(wait: () => Promise<Result>): Promise<Result> {
    this.#pauses += 1;
    this.#giveBack();
    try {
      return await wait();
    } finally {
      this.#pauses -= 1;
      if (this.#pauses === 0 && this.#running && !this.#takeNow()) await this.#take();
      if (this.#pauses > 0 || !this.#running) this.#giveBack(); // another wait began, or the command ended meanwhile
    }
  }

  /** Has a place, or takes one where nothing has to be waited for: most commands come that way, and each promise costs. */
  #takeNow(): boolean {
    if (this.#holds) return true;
    if (this.#taking !== undefined || this.#slots.takeNow() !== 'taken') return false;
    this.#slots.noteWork();
    this.#holds = true;
    return true;
  }

  async #take(): Promise<void> {
    this.#taking ??= this.#acquire();
    await this.#taking;
  }

  async #acquire(): Promise<void> {
    if (!this.#holds) await this.#slots.take();
    this.#holds = true;
    this.#taking = undefined;
  }

  #giveBack(): void {
    if (!this.#holds) return;
    this.#holds = false;
    this.#slots.giveBack();
  }
}
