/** Clients that never give up, as mail programs: they do their work over and over, connect anew when sent away, and measure how long each turn took from the first try. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Turn {
  readonly tookMs: number;
  readonly tries: number;
}

export class SteadyClient {
  readonly turns: Turn[] = [];
  readonly failures: string[] = [];
  readonly #running: Promise<void>;
  #stopping = false;

  /** @param work one turn; throws when the server refused it or went away */
  constructor(work: () => Promise<void>, { pauseMs, patienceMs }: { readonly pauseMs: number; readonly patienceMs: number }) {
    this.#running = this.#run(work, { pauseMs, patienceMs });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  /** Milliseconds that this part of the turns took at most. */
  quantile(part: number): number {
    const sorted = this.turns.map(({ tookMs }) => tookMs).toSorted((one, other) => one - other);
    return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
  }

  async #run(work: () => Promise<void>, { pauseMs, patienceMs }: { readonly pauseMs: number; readonly patienceMs: number }): Promise<void> {
    while (!this.#stopping) {
      const began = performance.now();
      for (let tries = 1; ; tries += 1) {
        try {
          await work();
          this.turns.push({ tookMs: performance.now() - began, tries });
          break;
        } catch (error) {
          if (performance.now() - began > patienceMs) {
            this.failures.push(String(error));
            return;
          }
          await sleep(10);
        }
      }
      await sleep(pauseMs);
    }
  }
}
