/** What is told of a move while it goes on, to whoever follows it; a move does not stop when nobody does. */

export type MoveEvent =
  /** The steps in the order of docs/account-move.md; `text` is for people. */
  | { readonly step: MoveStep; readonly text: string; readonly atMs: number }
  /** The directory must be changed by hand. */
  | { readonly step: 'directory-by-hand'; readonly text: string; readonly ldif: string; readonly atMs: number }
  | { readonly step: 'done'; readonly text: string; readonly atMs: number }
  | { readonly step: 'failed'; readonly text: string; readonly kind: string; readonly atMs: number };

/** In their order; when the last of them is done the node owns the account. */
export const bringingSteps = ['begin', 'copy', 'hold', 'delta', 'ready', 'seal', 'activate'] as const;

export type MoveStep = (typeof bringingSteps)[number] | 'directory' | 'verify' | 'remove';

export type Tell = (step: MoveStep, text: string) => void;

/** All that was told so far and all that comes. */
export class Progress {
  readonly #events: MoveEvent[] = [];
  readonly #wakers = new Set<() => void>();
  #over = false;

  /** So far. */
  get events(): readonly MoveEvent[] {
    return this.#events;
  }

  add(event: MoveEvent): void {
    this.#events.push(event);
    this.#wake();
  }

  end(): void {
    this.#over = true;
    this.#wake();
  }

  async* follow(): AsyncGenerator<Buffer, void, void> {
    for (let next = 0; ;) {
      const event = this.#events[next];
      if (event !== undefined) {
        next += 1;
        yield Buffer.from(`${JSON.stringify(event)}\n`);
      } else if (this.#over) {
        return;
      } else {
        await new Promise<void>((resolve) => this.#wakers.add(resolve));
      }
    }
  }

  #wake(): void {
    for (const wake of this.#wakers) wake();
    this.#wakers.clear();
  }
}
