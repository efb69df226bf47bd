/** The health of a connector's addresses: which to try, in the configured order, and which to leave alone for a while. */
import type { Logger } from '../log/log.ts';

const firstPauseMs = 200;
/** Short, because a connection that is refused costs little, and users wait for a directory that comes back. */
const longestPauseMs = 5_000;

interface Health { failures: number; pausedUntil: number }

export class UriChooser {
  readonly #health: Map<string, Health>;
  readonly #log: Logger;

  constructor(uris: readonly string[], log: Logger) {
    this.#health = new Map(uris.map((uri) => [uri, { failures: 0, pausedUntil: 0 }]));
    this.#log = log;
  }

  /** The addresses worth trying now, best first; empty while all of them are paused. */
  candidates(): string[] {
    const now = performance.now();
    return [...this.#health].filter(([, health]) => health.pausedUntil <= now).map(([uri]) => uri);
  }

  get size(): number {
    return this.#health.size;
  }

  /** Whether the last that was heard of an address was good: a server that can't show entries is not believed when it refuses passwords. */
  isSound(uri: string): boolean {
    return this.#health.get(uri)?.failures === 0;
  }

  succeeded(uri: string): void {
    const health = this.#health.get(uri);
    if (health === undefined || health.failures === 0) return;
    this.#log.info({ uri }, 'directory answers again');
    this.#health.set(uri, { failures: 0, pausedUntil: 0 });
  }

  /** What fails during a pause was begun before it, and is part of the same failure: many requests at once don't make a long pause. */
  failed(uri: string, reason: unknown): void {
    const health = this.#health.get(uri);
    if (health !== undefined && health.pausedUntil > performance.now()) return;
    const failures = (health?.failures ?? 0) + 1;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (failures - 1)) * (0.75 + Math.random() / 2);
    this.#health.set(uri, { failures, pausedUntil: performance.now() + pauseMs });
    this.#log.warn({ uri, failures, pauseMs: Math.round(pauseMs), err: reason }, 'directory address does not serve');
  }
}
