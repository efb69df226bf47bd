/** Who is in a group, as the user maps expand it, wherever their mail goes; remembered for a short while. An outage is told as one, and not remembered. */
import { LRUCache } from 'lru-cache';
import { isFailure } from '../../shared/base/failure.ts';
import type { Expansion } from '../../shared/user-map/expansion.ts';
import type { Applies } from '../storage/storage.ts';

/** So long after a change in the directory somebody may still count as a member, or not yet. */
const rememberedMs = 30_000;
const mostGroups = 1000;

type Members = ReadonlySet<string> | 'unknown';

export class Memberships {
  readonly #expand: (address: string) => Promise<Expansion>;
  readonly #members = new LRUCache<string, Promise<Members>>({ max: mostGroups, ttl: rememberedMs });

  constructor(expand: (address: string) => Promise<Expansion>) {
    this.#expand = expand;
  }

  /**
   * `unknown` for a group that is gone, that takes no mail, or whose members can't be followed to their end: nobody can say who would be in it, and
   * asking again would not help. @throws Failure('directory-unavailable')
   */
  async of(group: string, address: string): Promise<Applies> {
    const members = await (this.#members.get(group) ?? this.#ask(group));
    if (members === 'unknown') return 'unknown';
    return members.has(address) ? 'yes' : 'no';
  }

  #ask(group: string): Promise<Members> {
    const members = this.#membersOf(group);
    this.#members.set(group, members);
    members.catch(() => {
      if (this.#members.peek(group) === members) this.#members.delete(group);
    });
    return members;
  }

  async #membersOf(group: string): Promise<Members> {
    let expansion: Expansion;
    try {
      expansion = await this.#expand(group);
    } catch (error) {
      if (isFailure(error) && !error.temporary) return 'unknown';
      throw error;
    }
    if (expansion.kind === 'addresses') return new Set((expansion.members ?? expansion.addresses).map((address) => address.toLowerCase()));
    return expansion.kind === 'unusable' && (expansion.problem === 'empty' || expansion.problem === 'loop') ? new Set() : 'unknown';
  }
}
