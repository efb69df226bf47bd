/** Who is in a group, as the user maps expand it; remembered for a short while. An outage is told as one, and not remembered. */
import { LRUCache } from 'lru-cache';
import { isFailure } from '../../shared/base/failure.ts';
import type { Expansion } from '../../shared/user-map/expansion.ts';

/** So long after a change in the directory somebody may still count as a member, or not yet. */
const rememberedMs = 30_000;
const mostGroups = 1000;

export class Memberships {
  readonly #expand: (address: string) => Promise<Expansion>;
  readonly #members = new LRUCache<string, Promise<ReadonlySet<string>>>({ max: mostGroups, ttl: rememberedMs });

  constructor(expand: (address: string) => Promise<Expansion>) {
    this.#expand = expand;
  }

  /** An address that is no group's, or one that can't be followed to its end, has no members. @throws Failure('directory-unavailable') */
  async has(group: string, address: string): Promise<boolean> {
    const known = this.#members.get(group) ?? this.#ask(group);
    return (await known).has(address);
  }

  #ask(group: string): Promise<ReadonlySet<string>> {
    const members = this.#membersOf(group);
    this.#members.set(group, members);
    members.catch(() => {
      if (this.#members.peek(group) === members) this.#members.delete(group);
    });
    return members;
  }

  async #membersOf(group: string): Promise<ReadonlySet<string>> {
    try {
      const expansion = await this.#expand(group);
      return new Set(expansion.kind === 'addresses' ? expansion.addresses.map((address) => address.toLowerCase()) : []);
    } catch (error) {
      if (isFailure(error) && !error.temporary) return new Set(); // there is no such group, or it takes no mail
      throw error;
    }
  }
}
