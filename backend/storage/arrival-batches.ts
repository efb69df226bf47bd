/**
 * Messages that arrive at the same time enter a storage together: one flush of the pack, one commit of the index. A batch begins when
 * the one before has ended, and then waits a moment for senders who were told of that one; never for one that has only begun a message.
 * Who is alone waits in the first batch after one of several, and never again.
 */

/** For so long the event loop may stand still, waiting for others, milliseconds. While it works it may be they whom it works for: a batch that began without them would cost the processor as much as one that has them. */
const mostPatienceMs = 10;
/** It stands still no longer than this part of what a batch takes when nothing else holds it up: on a fast disk others are not worth a wait, which only leaves the processor idle. As PostgreSQL's manual advises for commit_delay. */
const patienceShare = 0.5;
/** A batch begins after so long, milliseconds, however busy the loop is: that may be with something else. */
const mostGatheringMs = 30;
/** With each batch that takes longer the fastest of late counts for so much more. */
const forgetting = 1.1;

export class ArrivalBatches {
  /** Each answers how its caller hears of it. */
  #waiting: (() => Promise<() => void>)[] = [];
  /** As many as may come: those who were told of the last batch are the next to send, beside those who wait already. */
  #expected = 1;
  /** What the fastest of the last batches took. */
  #fastestMs = 0;
  #running = false;
  #enough: (() => void) | undefined;

  /** Does the work in the next batch; all works of a batch begin in the same turn of the event loop. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    return new Promise<Result>((resolve) => {
      this.#waiting.push(async () => {
        const doing = work();
        await doing.catch(ignore);
        return () => resolve(doing);
      });
      if (this.#waiting.length >= this.#expected) this.#enough?.();
      if (!this.#running) void this.#runAll();
    });
  }

  async #runAll(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      await this.#gather();
      const batch = this.#waiting;
      this.#waiting = [];
      const began = performance.now();
      const answers = await Promise.all(batch.map(async (work) => work()));
      const tookMs = performance.now() - began;
      this.#fastestMs = this.#fastestMs === 0 ? tookMs : Math.min(tookMs, this.#fastestMs * forgetting);
      this.#expected = batch.length + this.#waiting.length; // before anybody who hears can come again
      for (const tell of answers) tell();
    }
    this.#running = false;
  }

  async #gather(): Promise<void> {
    if (this.#waiting.length >= this.#expected) return;
    const patienceMs = Math.min(mostPatienceMs, this.#fastestMs * patienceShare);
    await new Promise<void>((resolve) => {
      const giveUp = onceIdleFor(patienceMs, resolve);
      this.#enough = () => {
        giveUp();
        resolve();
      };
    });
    this.#enough = undefined;
  }
}

/** Calls `over` when the event loop has stood still for `ms` in all, or `mostGatheringMs` are over; answers how to call that off. */
function onceIdleFor(ms: number, over: () => void): () => void {
  const [began, idleBefore] = [performance.now(), idleMs()];
  const look = (): void => {
    const left = Math.min(ms - (idleMs() - idleBefore), mostGatheringMs - (performance.now() - began));
    if (left > 0) timer = setTimeout(look, left);
    else over();
  };
  let timer = setTimeout(look, ms);
  return () => clearTimeout(timer);
}

/** Of this process's event loop so far. */
function idleMs(): number {
  return performance.eventLoopUtilization().idle;
}

function ignore(): void {
  // its own caller hears of it
}
