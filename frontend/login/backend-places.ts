/** How many connections a worker has to each back-end at the same time. */
import { Failure } from '../../shared/base/failure.ts';

export class BackendPlaces {
  readonly #most: number | undefined;
  readonly #taken = new Map<string, number>();

  /** @param most no limit when undefined */
  constructor(most: number | undefined) {
    this.#most = most;
  }

  /** Takes a place; what it answers gives it back, once. @throws Failure('backend-unavailable') when all are taken */
  take(server: string): () => void {
    if (this.#most === undefined) return nothing;
    const taken = this.#taken.get(server) ?? 0;
    if (taken >= this.#most) {
      throw new Failure('backend-unavailable', 'the mail server has too many connections', { cause: new Error(`${String(taken)} connections to ${server}: maxConnectionsPerBackend`) });
    }
    this.#taken.set(server, taken + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const left = (this.#taken.get(server) ?? 1) - 1;
      if (left > 0) this.#taken.set(server, left);
      else this.#taken.delete(server);
    };
  }
}

function nothing(): void {
  // Without a limit nothing is counted.
}
