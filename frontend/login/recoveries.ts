/**
 * Slow release: a back-end that could not be reached gets its clients back a few each second, not all at once in the moment
 * it returns, when everybody who was refused tries again.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { Failure } from '../../shared/base/failure.ts';

export interface RecoveryOptions {
  /** Connections a second to a back-end that was down. */
  readonly perSecond: number;
  /** From the first connection that succeeds to the end of the limit. */
  readonly recoveryMs: number;
  /** Who would have to wait longer is refused for now. */
  readonly longestWaitMs: number;
  /** A clock in milliseconds; the process's own by default. */
  readonly now?: (() => number) | undefined;
  readonly sleep?: ((ms: number) => Promise<unknown>) | undefined;
}

interface Recovery {
  /** When the next connection may begin. */
  nextMs: number;
  /** Undefined while nothing has succeeded. */
  endsMs: number | undefined;
}

export class Recoveries {
  readonly #options: RecoveryOptions;
  readonly #now: () => number;
  readonly #sleep: (ms: number) => Promise<unknown>;
  readonly #recovering = new Map<string, Recovery>();

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#sleep = options.sleep ?? sleepMs;
  }

  /** Waits for the turn of one connection. @throws Failure('backend-unavailable') when too many are waiting already */
  async turn(server: string): Promise<void> {
    const recovery = this.#recovering.get(server);
    const nowMs = this.#now();
    if (recovery === undefined) return;
    if (recovery.endsMs !== undefined && nowMs >= recovery.endsMs) {
      this.#recovering.delete(server);
      return;
    }
    const beginMs = Math.max(nowMs, recovery.nextMs);
    if (beginMs - nowMs > this.#options.longestWaitMs) throw new Failure('backend-unavailable', 'the mail server is just coming back');
    recovery.nextMs = beginMs + 1000 / this.#options.perSecond;
    if (beginMs > nowMs) await this.#sleep(beginMs - nowMs);
  }

  succeeded(server: string): void {
    const recovery = this.#recovering.get(server);
    if (recovery !== undefined) recovery.endsMs ??= this.#now() + this.#options.recoveryMs;
  }

  failed(server: string): void {
    const known = this.#recovering.get(server);
    if (known === undefined) this.#recovering.set(server, { nextMs: this.#now(), endsMs: undefined });
    else known.endsMs = undefined;
  }
}
