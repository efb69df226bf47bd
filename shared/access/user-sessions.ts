/** Limits how many sessions of one protocol a user has at the node that keeps the mailbox, whichever workers hold them. */
import { Failure } from '../base/failure.ts';
import type { Siblings } from '../service/siblings.ts';

export interface UserSessionsOptions {
  /** Of one user, at this node. */
  readonly max: number;
  /** Under which workers ask each other: one for each protocol. */
  readonly topic: string;
  readonly siblings: Siblings;
}

/**
 * Somebody with no more sessions than this at this worker is let in without a question to the others: most people. Connections
 * come to workers as these have time, not in turns, so a larger number would let a user have too many.
 */
const fewSessions = 1;

export class UserSessions {
  readonly #options: UserSessionsOptions;
  readonly #counts = new Map<string, number>();

  constructor(options: UserSessionsOptions) {
    this.#options = options;
    options.siblings.answer(options.topic, (account) => this.#counts.get(String(account)) ?? 0);
  }

  /** Counts a session until its connection is closed. @throws Failure('limit') when the user has as many as are allowed */
  async enter(account: string, closed: Promise<void>): Promise<void> {
    this.#change(account, 1); // at once, so that sessions that begin together see each other
    if (await this.#tooMany(account)) {
      this.#change(account, -1);
      throw new Failure('limit', `too many connections of this user: at most ${String(this.#options.max)}`);
    }
    void closed.then(() => this.#change(account, -1));
  }

  async #tooMany(account: string): Promise<boolean> {
    const { max, topic, siblings } = this.#options;
    const own = this.#counts.get(account) ?? 0;
    if (own > max) return true;
    if (own <= fewSessions) return false;
    const { answers } = await siblings.ask(topic, account); // rather a session too many than a user kept out by a worker that is busy
    return answers.reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0) > max;
  }

  #change(account: string, by: 1 | -1): void {
    const count = (this.#counts.get(account) ?? 0) + by;
    if (count > 0) this.#counts.set(account, count);
    else this.#counts.delete(account);
  }
}
