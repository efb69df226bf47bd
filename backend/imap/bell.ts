/** Wakes one waiter: rung while nobody waits, the next wait ends at once. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves when the bell rings, at the latest after `timeoutMs`; says whether it rang. */
  async wait(timeoutMs: number): Promise<'rung' | 'silence'> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const heard = this.#rung ? 'rung' : 'silence';
    this.#wake = undefined;
    this.#rung = false;
    return heard;
  }
}
