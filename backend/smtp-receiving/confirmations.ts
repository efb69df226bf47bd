/** What a session was told 250 for and has not confirmed yet. A client's next MAIL, or its QUIT, shows that it read the reply. */
import type { Settle } from '../processing/processing.ts';

export class Confirmations {
  #pending: Settle[] = [];
  #over: 'no' | 'yes' = 'no';

  /** A 250 is about to be sent; nobody hears it when the session was cut while the message was being stored. */
  add(settle: Settle): void {
    if (this.#over === 'yes') settle('loose');
    else this.#pending.push(settle);
  }

  /** The client went on. */
  confirm(): void {
    this.#settle('confirmed');
  }

  /** The session is over. */
  end(how: 'quit' | 'cut'): void {
    this.#over = 'yes';
    this.#settle(how === 'quit' ? 'confirmed' : 'loose');
  }

  #settle(confirmation: 'confirmed' | 'loose'): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const settle of pending) settle(confirmation);
  }
}
