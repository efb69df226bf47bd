/** Users who log in by every protocol and get mail, all the time, whatever happens to the directory; with a book of what they were told and of the mail that was taken. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { frontendNames } from '../../harness/cluster.ts';
import type { Cluster, NodeName } from '../../harness/cluster.ts';
import { attempt, logins } from '../../harness/attempts.ts';
import type { Protocol, Result } from '../../harness/attempts.ts';
import { peoplesPassword } from './setting.ts';
import type { Group, Inhabitant } from './setting.ts';

/** In the mailbox of everybody, from the beginning. */
export const marker = `marker-${randomUUID()}`;

export interface Noted extends Result {
  readonly who: Inhabitant;
  readonly protocol: Protocol;
  readonly node: NodeName;
  readonly endedAtMs: number;
}

let clients = 0;

/** An address of this machine that nobody has connected from: front-ends slow down networks with failed logins. */
export function newClientAddress(): string {
  clients += 1;
  return `127.10.${String(Math.floor(clients / 250) % 250)}.${String(1 + (clients % 250))}`;
}

export class SteadyLoad {
  readonly noted: Noted[] = [];
  /** Subjects of the messages that were taken for delivery, by address. */
  readonly ledger = new Map<string, string[]>();
  readonly #cluster: Cluster;
  readonly #running: Promise<void>[];
  #stopping = false;

  constructor(cluster: Cluster, people: readonly Inhabitant[]) {
    this.#cluster = cluster;
    this.#running = people.map(async (who, index) => this.#live(who, index));
  }

  /** What a group was told since then, the longest waits first. */
  since(startedAtMs: number, group: Group): Noted[] {
    return this.noted.filter((one) => one.who.group === group && one.endedAtMs >= startedAtMs).toSorted((one, other) => other.tookMs - one.tookMs);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  async #live(who: Inhabitant, index: number): Promise<void> {
    for (let turn = index; !this.#stopping; turn += 1) {
      const protocol = [...logins, 'mx' as const][turn % (logins.length + 1)] ?? 'mx';
      const node = frontendNames[Math.floor(turn / (logins.length + 1)) % frontendNames.length] ?? 'fe1';
      await this.once({ who, protocol, node });
      await sleep(50);
    }
  }

  async once({ who, protocol, node }: { readonly who: Inhabitant; readonly protocol: Protocol; readonly node: NodeName }): Promise<Noted> {
    const sends = protocol === 'mx' || protocol === 'submission';
    const subject = sends ? `about-${randomUUID()}` : marker;
    const result = await attempt(this.#cluster, { protocol, node, address: who.address, password: peoplesPassword, subject, from: newClientAddress() });
    if (sends && result.outcome === 'ok') this.ledger.set(who.address, [...(this.ledger.get(who.address) ?? []), subject]);
    const noted = { ...result, who, protocol, node, endedAtMs: performance.now() };
    this.noted.push(noted);
    return noted;
  }
}
