/** The servers that run now: whoever ends the bench ends all of them, those that a cell has started for itself and those that are just starting, too. */
import type { MailStore } from './mail-store.ts';

export type Keep = <Store extends MailStore>(start: () => Promise<Store>) => Promise<Store>;

export class RunningStores {
  readonly #stores = new Set<Promise<MailStore>>();
  readonly #ending = new AbortController();
  #ended: Promise<void> | undefined;

  /** Aborted when the bench ends: for commands that run besides the servers. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Starts a server, whose `stop` may be called at any time. Throws when the bench ends. */
  readonly keep: Keep = async (start) => {
    if (this.signal.aborted) throw new Error('the bench ends');
    const starting = start();
    this.#stores.add(starting);
    return starting;
  };

  /** Ends all; whoever asks again waits for the same end: Ctrl-C may come twice. */
  async end(): Promise<void> {
    this.#ending.abort();
    this.#ended ??= Promise.all([...this.#stores].map(async (starting) => (await starting.catch(() => undefined))?.stop())).then(() => undefined);
    return this.#ended;
  }
}
