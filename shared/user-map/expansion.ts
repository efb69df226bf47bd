/**
 * Where mail for an entry goes: to its mailbox, to where it is forwarded, or to the members of a group. Forwarding and groups
 * may lead to one another; everybody is reached once, and the way is bounded in depth and in number.
 */
import type { Logger } from '../log/log.ts';
import { formatAddress, parseAddress } from '../smtp/address.ts';
import type { UserEntry } from './user-maps.ts';

export type Expansion =
  /** The entry's own mailbox and nothing else. */
  | { readonly kind: 'mailbox' }
  /** These addresses, each once; they are final: none of them is to be expanded again. `members`: of a group, who is in it, wherever their mail goes; absent where that is the same. */
  | { readonly kind: 'addresses'; readonly addresses: readonly string[]; readonly members?: readonly string[] }
  /** An administrator must mend it. */
  | { readonly kind: 'unusable'; readonly problem: ExpansionProblem };

/** `loop`: it leads back to itself and nowhere else. `empty`: a group without a member that can be reached. */
export type ExpansionProblem = 'loop' | 'empty' | 'too deep' | 'too many';

export interface ExpansionRules {
  /** Whether an entry with a mailbox keeps a copy of what it forwards. */
  readonly forwardKeepsCopy: 'yes' | 'no';
  /** Groups and forwarding entries, one leading to the next. */
  readonly maxDepth: number;
  /** Members of all groups on the way, groups among them. */
  readonly maxMembers: number;
}

export const defaultExpansionRules: ExpansionRules = { forwardKeepsCopy: 'yes', maxDepth: 8, maxMembers: 1000 };

export interface ExpansionSources {
  /** The entry that has an address of ours. @throws Failure('directory-unavailable') */
  readonly lookUp: (address: string) => Promise<UserEntry | undefined>;
  /** The entry of that name, in the directory of the entry that names it. @throws Failure('directory-unavailable') */
  readonly member: (of: UserEntry, dn: string) => Promise<UserEntry | undefined>;
  readonly isOurs: (domain: string) => boolean;
  readonly rules: ExpansionRules;
  readonly log: Logger;
}

/** Follows an entry. @throws Failure('directory-unavailable'): an outage on the way is never "nobody". */
export async function expandEntry(entry: UserEntry, sources: ExpansionSources): Promise<Expansion> {
  if (entry.group === undefined && entry.routingAddress === undefined) return { kind: 'mailbox' };
  const walk = new Walk(sources);
  try {
    await walk.follow(entry, { depth: 0, as: entry.group === undefined ? 'target' : 'member' });
  } catch (thrown) {
    if (!(thrown instanceof TooFar)) throw thrown;
    return unusable(entry, thrown.problem, sources.log);
  }
  const addresses = [...walk.found.values()];
  if (addresses.length === 0) return unusable(entry, walk.looped ? 'loop' : 'empty', sources.log);
  if (addresses.length === 1 && addresses[0] === entry.address) return { kind: 'mailbox' };
  const areAddresses = entry.group === undefined || (walk.members.size === walk.found.size && [...walk.members].every((member) => walk.found.has(member)));
  return { kind: 'addresses', addresses, ...(areAddresses ? {} : { members: [...walk.members] }) };
}

function unusable(entry: UserEntry, problem: ExpansionProblem, log: Logger): Expansion {
  log.error({ address: entry.address, dn: entry.dn, problem }, 'mail for this entry can go nowhere');
  return { kind: 'unusable', problem };
}

class TooFar extends Error {
  readonly problem: 'too deep' | 'too many';

  constructor(problem: 'too deep' | 'too many') {
    super(problem);
    this.problem = problem;
  }
}

/** How deep an entry is reached, and what for: it is in the group, or mail is forwarded to it. */
interface Step {
  readonly depth: number;
  readonly as: 'member' | 'target';
}

class Walk {
  /** By address in lower case. */
  readonly found = new Map<string, string>();
  /** In lower case. */
  readonly members = new Set<string>();
  looped = false;
  readonly #sources: ExpansionSources;
  readonly #followed = new Set<string>();
  #steps = 0;

  constructor(sources: ExpansionSources) {
    this.#sources = sources;
  }

  async follow(entry: UserEntry, step: Step): Promise<void> {
    if (step.as === 'member' && entry.group === undefined) this.members.add(entry.address.toLowerCase());
    const key = entry.dn ?? entry.address;
    if (this.#followed.has(key)) {
      this.looped = true;
      return;
    }
    this.#followed.add(key);
    if (step.depth > this.#sources.rules.maxDepth) throw new TooFar('too deep');
    if (entry.group !== undefined) await this.#members(entry, step);
    else if (entry.routingAddress === undefined) this.#add(entry.address);
    else await this.#forward(entry, entry.routingAddress, { ...step, as: 'target' });
  }

  async #members(entry: UserEntry, step: Step): Promise<void> {
    if (entry.group?.more === 'yes') throw new TooFar('too many');
    for (const dn of entry.group?.members ?? []) {
      this.#step();
      const member = await this.#sources.member(entry, dn);
      if (member === undefined) this.#sources.log.warn({ group: entry.dn, member: dn }, 'member of a group has no address, or no entry');
      else await this.follow(member, { ...step, depth: step.depth + 1 });
    }
    for (const address of entry.group?.addresses ?? []) {
      this.#step();
      await this.#followAddress(address, entry, step);
    }
  }

  async #forward(entry: UserEntry, target: string, step: Step): Promise<void> {
    const hasMailbox = entry.mailHost !== undefined;
    if (hasMailbox && this.#sources.rules.forwardKeepsCopy === 'yes') this.#add(entry.address);
    const [own, other] = [[entry.address, ...entry.aliases], target.toLowerCase()];
    // Back to itself is the usual way to say: into the mailbox.
    if (hasMailbox && own.includes(other)) this.#add(entry.address);
    else await this.#followAddress(target, entry, step);
  }

  async #followAddress(text: string, from: UserEntry, step: Step): Promise<void> {
    const parsed = parseAddress(text.trim());
    if (parsed === undefined) {
      this.#sources.log.error({ dn: from.dn, value: text }, 'not an address');
      return;
    }
    const address = formatAddress(parsed);
    const entry = this.#sources.isOurs(parsed.domain) ? await this.#sources.lookUp(address) : undefined;
    if (entry !== undefined) return this.follow(entry, { ...step, depth: step.depth + 1 });
    this.#add(address);
    if (step.as === 'member') this.members.add(address.toLowerCase());
  }

  #add(address: string): void {
    this.found.set(address.toLowerCase(), address);
  }

  #step(): void {
    this.#steps += 1;
    if (this.#steps > this.#sources.rules.maxMembers) throw new TooFar('too many');
  }
}
