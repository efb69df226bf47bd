/**
 * The log of one session, whose lines tell all that is known of it: the client, later the account. Each logger is made of the service's: a child of a session's own child
 * takes three times as long, as every property of it is looked for in a prototype that no other session has.
 */
import type { Logger } from '../../shared/log/log.ts';

/** What stands in each line, by name. */
export type Facts = Readonly<Record<string, string>>;

export class SessionLog {
  readonly #ofService: Logger;
  #facts: Facts;
  #log: Logger;

  constructor(ofService: Logger, facts: Facts) {
    this.#ofService = ofService;
    this.#facts = facts;
    this.#log = ofService.child(facts);
  }

  get log(): Logger {
    return this.#log;
  }

  /** From now on lines tell this as well, or instead of what they told by that name. */
  learn(facts: Facts): void {
    this.#facts = { ...this.#facts, ...facts };
    this.#log = this.#ofService.child(this.#facts);
  }
}
