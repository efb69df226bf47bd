/** Limits how many connections one client address has at a listener of the node, whichever workers hold them. */
import type { Siblings } from '../service/siblings.ts';
import { clientNetwork } from './network.ts';

export interface AddressLimitOptions {
  readonly max: number;
  /** What one client commands of IPv6. */
  readonly ipv6Prefix: number;
  /** Worker processes that share the listener. */
  readonly workers: number;
  readonly siblings: Siblings;
}

export class AddressLimit {
  readonly #options: AddressLimitOptions;
  readonly #topic: string;
  readonly #counts = new Map<string, number>();

  /** @param place the listener, by which workers know what they ask each other about */
  constructor(options: AddressLimitOptions, place: string) {
    this.#options = options;
    this.#topic = `connections ${place}`;
    options.siblings.answer(this.#topic, (network) => this.#counts.get(String(network)) ?? 0);
  }

  /**
   * Counts one connection more; `leave` is to be called for it, unless it is refused. A worker that has less than half of its
   * share of what is allowed asks nobody: so half more than `max` get through at worst, where they come unevenly.
   */
  async enter(address: string): Promise<'admitted' | 'refused'> {
    const { max, ipv6Prefix, workers, siblings } = this.#options;
    const network = clientNetwork(address, ipv6Prefix);
    const own = this.#change(network, 1); // at once, so that connections that begin together see each other
    if (own <= Math.floor(max / workers / 2)) return 'admitted';
    const counts = own > max ? [own] : await siblings.ask(this.#topic, network);
    if (counts.reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0) <= max) return 'admitted';
    this.#change(network, -1);
    return 'refused';
  }

  leave(address: string): void {
    this.#change(clientNetwork(address, this.#options.ipv6Prefix), -1);
  }

  #change(network: string, by: 1 | -1): number {
    const count = (this.#counts.get(network) ?? 0) + by;
    if (count > 0) this.#counts.set(network, count);
    else this.#counts.delete(network);
    return count;
  }
}
