/**
 * The queue in front of one back-end: so many requests have a connection, so many more wait for one, each for a bounded
 * time. One user can't have all connections: who has a good share of them waits, and later ones of others go first.
 */
import { Failure } from '../../shared/base/failure.ts';

export interface QueueLimits {
  /** Requests that have a connection at the same time. */
  readonly connections: number;
  /** Of one user. */
  readonly connectionsPerUser: number;
  /** Requests that wait; one more is refused. */
  readonly maxWaiting: number;
  readonly longestWaitMs: number;
}

interface Waiter {
  readonly user: string;
  readonly admit: () => void;
}

export class BackendQueue {
  readonly #limits: QueueLimits;
  readonly #running = new Map<string, number>();
  #total = 0;
  #waiting: readonly Waiter[] = [];

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /**
   * Resolves when the request may have a connection; the function it resolves with gives that back.
   * @throws Failure('backend-unavailable') at once when too many wait, or after the longest wait; the signal's reason when it comes first
   */
  async enter(user: string, left: AbortSignal): Promise<() => void> {
    if (this.#hasRoomFor(user)) this.#begin(user);
    else if (this.#waiting.length >= this.#limits.maxWaiting) throw busy();
    else await this.#wait(user, left);
    return () => this.#end(user);
  }

  #hasRoomFor(user: string): boolean {
    const { connections, connectionsPerUser } = this.#limits;
    return this.#total < connections && (this.#running.get(user) ?? 0) < connectionsPerUser;
  }

  #begin(user: string): void {
    this.#total += 1;
    this.#running.set(user, (this.#running.get(user) ?? 0) + 1);
  }

  #end(user: string): void {
    this.#total -= 1;
    const left = (this.#running.get(user) ?? 1) - 1;
    if (left === 0) this.#running.delete(user);
    else this.#running.set(user, left);
    const next = this.#waiting.find((waiter) => this.#hasRoomFor(waiter.user));
    if (next === undefined) return;
    this.#begin(next.user);
    next.admit();
  }

  async #wait(user: string, left: AbortSignal): Promise<void> {
    left.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        left.removeEventListener('abort', giveUp);
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
      };
      const giveUp = (): void => {
        leave();
        reject(left.reason as Error);
      };
      const waiter: Waiter = {
        user,
        admit: () => {
          leave();
          resolve();
        },
      };
      const timer = setTimeout(() => {
        leave();
        reject(busy());
      }, this.#limits.longestWaitMs);
      left.addEventListener('abort', giveUp);
      this.#waiting = [...this.#waiting, waiter];
    });
  }
}

function busy(): Failure {
  return new Failure('backend-unavailable', 'The server of your mailbox is very busy. Try again in a moment.');
}
