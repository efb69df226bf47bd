/**
 * How many connections the node has to each back-end at the same time. Workers tell each other their counts, but no login waits
 * for that: what came in the last tenth of a second at the others is not counted.
 */
import { SharedCounts } from '../../shared/access/shared-counts.ts';
import { Failure } from '../../shared/base/failure.ts';
import type { Notices } from '../../shared/service/notices.ts';

export interface BackendPlacesOptions {
  /** No limit when undefined. */
  readonly most: number | undefined;
  /** The service, by which workers know what they speak of. */
  readonly service: string;
  readonly notices: Notices;
}

/** Changes within this time are told together. */
const tellAfterMs = 100;
/** Counts are told again so often, so that those of dead workers can be forgotten. */
const tellAgainMs = 20_000;

export class BackendPlaces {
  readonly #most: number | undefined;
  readonly #taken = new Map<string, number>();
  readonly #shared: SharedCounts;
  readonly #changed = new Set<string>();

  constructor({ most, service, notices }: BackendPlacesOptions) {
    this.#most = most;
    this.#shared = new SharedCounts({ notices, topic: `connections of ${service} to back-ends`, goodForMs: 2 * tellAgainMs });
    if (most !== undefined) setInterval(() => this.#tell(this.#taken.keys()), tellAgainMs).unref();
  }

  /** Takes a place; what it answers gives it back, once. @throws Failure('backend-unavailable') when all are taken */
  take(server: string): () => void {
    if (this.#most === undefined) return nothing;
    const own = this.#taken.get(server) ?? 0;
    const taken = own + this.#shared.others(server);
    if (taken >= this.#most) {
      throw new Failure('backend-unavailable', 'the mail server has too many connections', { cause: new Error(`${String(taken)} connections to ${server}: maxConnectionsPerBackend`) });
    }
    this.#set(server, own + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#set(server, (this.#taken.get(server) ?? 1) - 1);
    };
  }

  #set(server: string, count: number): void {
    if (count > 0) this.#taken.set(server, count);
    else this.#taken.delete(server);
    if (this.#changed.size === 0) {
      setTimeout(() => {
        this.#tell(this.#changed);
        this.#changed.clear();
      }, tellAfterMs).unref();
    }
    this.#changed.add(server);
  }

  #tell(servers: Iterable<string>): void {
    for (const server of servers) this.#shared.tell(server, this.#taken.get(server) ?? 0);
  }
}

function nothing(): void {
  // Without a limit nothing is counted.
}
