/** Limits how many connections one client address has at a listener of the node, whichever workers hold them. */
import type { Notices } from '../service/notices.ts';
import type { Siblings } from '../service/siblings.ts';
import { clientNetwork } from './network.ts';
import { SharedCounts } from './shared-counts.ts';

export interface AddressLimitOptions {
  readonly max: number;
  /** What one client commands of IPv6. */
  readonly ipv6Prefix: number;
  /** Worker processes that share the listener. */
  readonly workers: number;
  readonly siblings: Siblings;
  readonly notices: Notices;
}

/** A worker that died makes the others ask for so long, no more. */
const goodForMs = 3_600_000;

export class AddressLimit {
  readonly #options: AddressLimitOptions;
  readonly #topic: string;
  readonly #counts = new Map<string, number>();
  /** Counts above a worker's quiet share. */
  readonly #shared: SharedCounts;
  readonly #quiet: number;

  /** @param place the listener, by which workers know what they ask each other about */
  constructor(options: AddressLimitOptions, place: string) {
    this.#options = options;
    this.#topic = `connections ${place}`;
    this.#quiet = Math.floor(options.max / options.workers / 2);
    this.#shared = new SharedCounts({ notices: options.notices, topic: `${this.#topic} above their share`, goodForMs });
    options.siblings.answer(this.#topic, (network) => this.#counts.get(String(network)) ?? 0);
  }

  /**
   * Counts one connection more; `leave` is to be called for it, unless it is refused. A worker asks the others only when it has
   * more than half of its share of what is allowed, or they have told of more than half of all: until then it can't be too many.
   * (Workers of a former generation have their say when they are asked; what they hold is not known before.)
   */
  async enter(address: string): Promise<'admitted' | 'refused'> {
    const { max, ipv6Prefix, siblings } = this.#options;
    const network = clientNetwork(address, ipv6Prefix);
    const own = this.#change(network, 1); // at once, so that connections that begin together see each other
    if (own <= this.#quiet && this.#shared.others(network) <= Math.floor(max / 2)) return 'admitted';
    const counts = own > max ? [own] : await siblings.ask(this.#topic, network);
    if (counts.reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0) <= max) return 'admitted';
    this.#change(network, -1);
    return 'refused';
  }

  leave(address: string): void {
    this.#change(clientNetwork(address, this.#options.ipv6Prefix), -1);
  }

  #change(network: string, by: 1 | -1): number {
    const before = this.#counts.get(network) ?? 0;
    const count = before + by;
    if (count > 0) this.#counts.set(network, count);
    else this.#counts.delete(network);
    if (count > this.#quiet) this.#shared.tell(network, count);
    else if (before > this.#quiet) this.#shared.tell(network, 0);
    return count;
  }
}
