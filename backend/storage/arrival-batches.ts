/**
 * Messages that arrive at the same time enter a storage together: one flush of the pack, one commit of the index. A batch begins when
 * the one before has ended, and then waits a moment for senders who were told of that one; never for one that has only begun a message.
 * Who is alone waits in the first batch after one of several, and never again.
 */

/** Milliseconds that a batch waits for others at most. */
const mostPatienceMs = 10;
/** It waits no longer than this part of what a batch takes when nothing else holds it up: on a fast disk others are not worth a wait, which only leaves the processor idle. As PostgreSQL's manual advises for commit_delay. */
const patienceShare = 0.5;
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
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#enough = resolve;
      timer = setTimeout(resolve, patienceMs);
    });
    clearTimeout(timer);
    this.#enough = undefined;
  }
}

function ignore(): void {
  // its own caller hears of it
}
