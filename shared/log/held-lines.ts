/** Lines that wait for a receiver beyond this process: sent one batch after the other, held while it is away, up to a bound. */
import { countLost } from './line-file.ts';

const gatherMs = 50;
const mostHeldBytes = 4 * 1024 * 1024;
const batchBytes = 512 * 1024;
const firstPauseMs = 500;
const longestPauseMs = 15_000;
/** For what is left when the process ends. */
const lastPatienceMs = 1500;

export class HeldLines<Line extends string | Buffer> {
  readonly #output: 'remote' | 'system';
  readonly #deliver: (lines: readonly Line[]) => Promise<void>;
  #lines: Line[] = [];
  #bytes = 0;
  #running: Promise<void> | undefined;
  #pauseMs = firstPauseMs;
  #closing = false;

  /** `deliver` rejects when it could not; the same lines are given to it again then, so a receiver may see some twice. */
  constructor(output: 'remote' | 'system', deliver: (lines: readonly Line[]) => Promise<void>) {
    this.#output = output;
    this.#deliver = deliver;
  }

  add(line: Line): void {
    if (this.#bytes + line.length > mostHeldBytes) {
      countLost(this.#output, 1);
      return;
    }
    this.#lines.push(line);
    this.#bytes += line.length;
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#closing = true;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, lastPatienceMs);
    });
    await Promise.race([this.#running, patience]);
    clearTimeout(timer);
    countLost(this.#output, this.#lines.length);
  }

  async #run(): Promise<void> {
    await pause(this.#closing ? 0 : gatherMs);
    while (this.#lines.length > 0) {
      const batch = this.#nextBatch();
      try {
        await this.#deliver(batch);
        this.#lines = this.#lines.slice(batch.length);
        this.#bytes -= sizeOf(batch);
        this.#pauseMs = firstPauseMs;
      } catch {
        if (this.#closing) break;
        await pause(this.#pauseMs);
        this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs);
      }
    }
    this.#running = undefined;
  }

  #nextBatch(): readonly Line[] {
    let bytes = 0;
    const beyond = this.#lines.findIndex((line) => {
      bytes += line.length;
      return bytes > batchBytes;
    });
    return this.#lines.slice(0, beyond === -1 ? this.#lines.length : Math.max(1, beyond));
  }
}

function sizeOf(lines: readonly { readonly length: number }[]): number {
  return lines.reduce((sum, { length }) => sum + length, 0);
}

async function pause(durationMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, durationMs).unref();
  });
}
