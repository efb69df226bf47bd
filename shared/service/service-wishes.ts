/**
 * What administrators want of single services: told to all workers of a node by the supervisor, which remembers what is stopped for
 * workers to come, until the node itself ends (what is to stay so belongs into the configuration).
 */
import type { Report } from './messages.ts';

export interface ServiceOrder {
  readonly name: string;
  readonly wish: 'start' | 'stop' | 'restart';
}

export interface ServiceWishes {
  /** Names of services that are not to run. */
  readonly stopped: ReadonlySet<string>;
  /** Tells all workers, this one included. */
  wish(order: ServiceOrder): void;
  /** One listener: the worker's rack. */
  onWish(listener: (order: ServiceOrder) => void): void;
}

/** Changes the set of what is stopped. */
export function noteWish(stopped: Set<string>, { name, wish }: ServiceOrder): void {
  if (wish === 'stop') stopped.add(name);
  else stopped.delete(name);
}

/** A worker's end; `receive` takes the supervisor's orders. */
export class WorkerWishes implements ServiceWishes {
  readonly stopped = new Set<string>();
  readonly #send: (report: Report) => void;
  #listener: (order: ServiceOrder) => void = () => undefined;

  constructor(send: (report: Report) => void) {
    this.#send = send;
  }

  wish(order: ServiceOrder): void {
    this.#send({ kind: 'service', ...order });
  }

  onWish(listener: (order: ServiceOrder) => void): void {
    this.#listener = listener;
  }

  begin(stopped: readonly string[]): void {
    for (const name of stopped) this.stopped.add(name);
  }

  receive({ name, wish }: ServiceOrder): void {
    noteWish(this.stopped, { name, wish });
    this.#listener({ name, wish });
  }
}
