/** Which accounts have changed since the index was brought up to date, and since when (pure). */

/** More changed accounts than these are not named one by one. */
const mostAccounts = 5000;

export interface Changes {
  /** Ids; `all` when there are too many of them, or nobody knows. */
  readonly accounts: ReadonlySet<string> | 'all';
  /** When the first of them came, by the clock of whoever noted it. */
  readonly sinceMs: number;
}

export class ChangedAccounts {
  #accounts: Set<string> | 'all' = new Set();
  #sinceMs = Infinity;

  get isEmpty(): boolean {
    return this.#accounts !== 'all' && this.#accounts.size === 0;
  }

  get isAll(): boolean {
    return this.#accounts === 'all';
  }

  note(account: string, atMs: number): void {
    this.#sinceMs = Math.min(this.#sinceMs, atMs);
    if (this.#accounts === 'all') return;
    this.#accounts.add(account);
    if (this.#accounts.size > mostAccounts) this.#accounts = 'all';
  }

  noteAll(atMs: number): void {
    this.#sinceMs = Math.min(this.#sinceMs, atMs);
    this.#accounts = 'all';
  }

  /** From now on they are somebody else's, unless he gives them back. */
  take(): Changes {
    const taken = { accounts: this.#accounts, sinceMs: this.#sinceMs };
    this.#accounts = new Set();
    this.#sinceMs = Infinity;
    return taken;
  }

  /** They are still to be looked at, and as old as they were. */
  takeBack({ accounts, sinceMs }: Changes): void {
    if (accounts === 'all') this.noteAll(sinceMs);
    else for (const account of accounts) this.note(account, sinceMs);
  }
}
